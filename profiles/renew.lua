-- Shows that the owner lives.
--
-- KEYS  1 meta (hash)
-- ARGV  1 token
-- Reply 1, or 0 when the token is another owner's

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return 1
