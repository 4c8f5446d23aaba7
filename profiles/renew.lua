-- Shows that the owner lives, and trims what it has published.
--
-- KEYS  1 meta (hash)   2 outbox (list)
-- ARGV  1 token   2 outbox entries to trim from the head
-- Reply 1, or 0 when the token is another owner's

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
if tonumber(ARGV[2]) > 0 then
  redis.call('LTRIM', KEYS[2], ARGV[2], -1)
end
return 1
