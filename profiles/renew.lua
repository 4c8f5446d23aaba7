-- Shows that the owner lives, and that the store is still where the owner left it: without a new event nothing else would
-- notice that it was brought back to an older copy.
--
-- KEYS  1 meta (hash)
-- ARGV  1 token   2 id of the last commit
-- Reply OK
--       FENCED    the token is another owner's
--       CONFLICT  the last commit is another one

local now = redis.call('HMGET', KEYS[1], 'token', 'commit_id')
-- protection: token
if now[1] ~= ARGV[1] then
  return 'FENCED'
end
-- end
-- protection: compare_and_set
if now[2] ~= ARGV[2] then
  return 'CONFLICT'
end
-- end
redis.call('HINCRBY', KEYS[1], 'renewals', 1)
return 'OK'
