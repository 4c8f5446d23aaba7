-- Makes the caller the owner of a partition.
--
-- KEYS  1 meta (hash)
-- ARGV  1 owner (uuid)   2 state id, used only when there is no meta yet
-- Reply the whole meta as field, value ...
--
-- The token holds an epoch for people to read, but is compared for equality: after Redis lost its last second an epoch alone
-- could be given twice.

if redis.call('HSETNX', KEYS[1], 'state_id', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'position', '0', 'commit_id', '')
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', epoch .. ':' .. ARGV[1])
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return redis.call('HGETALL', KEYS[1])
