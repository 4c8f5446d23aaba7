-- Gives up a generation of a partition that is being built, before anything of it is deleted: nobody owns it any more, and what is
-- left of it is not taken for all.
--
-- KEYS  1 meta (hash)
-- Reply 1, now or before; 0 when it is not being built

local phase = redis.call('HGET', KEYS[1], 'phase')
if phase == 'dropped' then
  return 1
end
if phase ~= 'building' then
  return 0
end
redis.call('HSET', KEYS[1], 'phase', 'dropped', 'token', '', 'replica', '')
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return 1
