-- A person accepts the loss behind a halt; the owner reads it from the meta.
--
-- KEYS  1 meta (hash)
-- ARGV  1 halt reason
-- Reply 1, or 0 when the partition has never been acquired

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'accepted', ARGV[1])
return 1
