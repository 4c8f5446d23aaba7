-- The owner gives a partition up.
--
-- KEYS  1 meta (hash)
-- ARGV  1 token
-- Reply OK
--       FENCED    the token is another owner's, or nobody's: a repetition after a lost reply

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 'FENCED'
end
redis.call('HSET', KEYS[1], 'token', '', 'replica', '')
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return 'OK'
