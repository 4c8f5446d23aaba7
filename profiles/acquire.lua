-- Makes the caller the owner of a partition, if nobody has become the owner since the caller looked.
--
-- KEYS  1 meta (hash)
-- ARGV  1 claim (uuid)   2 state id, used only when there is no meta yet   3 token that the caller saw, empty for none
--       4 name of the replica
-- Reply the whole meta as field, value ...; empty when the token is another one, or the partition is sealed
--
-- The token holds an epoch for people to read, but is compared for equality: after Redis lost its last second an epoch alone
-- could be given twice.

local token = redis.call('HGET', KEYS[1], 'token') or ''
-- The reply to the first try was lost.
if token ~= '' and string.sub(token, -#ARGV[1] - 1) == ':' .. ARGV[1] then
  return redis.call('HGETALL', KEYS[1])
end
if token ~= ARGV[3] or redis.call('HGET', KEYS[1], 'phase') == 'sealed' then
  return {}
end
if redis.call('HSETNX', KEYS[1], 'state_id', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'position', '0', 'commit_id', '')
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', epoch .. ':' .. ARGV[1], 'replica', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return redis.call('HGETALL', KEYS[1])
