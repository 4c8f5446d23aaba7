-- Ends a generation of a partition: nobody owns it any more, and nobody can again. Where it stands then, the next one goes on.
--
-- KEYS  1 meta (hash)   2 timers (sorted set)
-- ARGV  1 '1' to seal it although timers that are due have not fired: the next generation takes them for fired
-- Reply SEALED    now or before
--       BUSY      timers are due at or before the partition's time
--       BUILDING  it follows another generation itself
--       DROPPED   it is being deleted
--       ABSENT    it has never been acquired

local now = redis.call('HMGET', KEYS[1], 'state_id', 'phase', 'now')
if not now[1] then
  return 'ABSENT'
end
if now[2] and now[2] ~= '' then
  return string.upper(now[2])
end
if ARGV[1] ~= '1' and redis.call('ZCOUNT', KEYS[2], '-inf', now[3] or '0') > 0 then
  return 'BUSY'
end
redis.call('HSET', KEYS[1], 'phase', 'sealed', 'token', '', 'replica', '')
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return 'SEALED'
