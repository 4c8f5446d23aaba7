-- Forgets a replica, unless it has shown a sign of life since the caller looked.
--
-- KEYS  1 members (hash)
-- ARGV  1 name of the replica   2 sign
-- Reply 1 or 0

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
return redis.call('HDEL', KEYS[1], ARGV[1])
