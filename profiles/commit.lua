-- The one write of a batch: all or nothing, and only by the owner, on top of what the owner has seen.
--
-- KEYS  1 meta (hash)   2 outbox (list)   3 timers (sorted set)
--       then: profiles written, profiles deleted, memory buckets appended, memory buckets deleted
-- ARGV  1 token   2 commit id   3 previous position   4 previous commit id
--       5 outbox entries to trim from the head
--       6 meta fields (pairs)   7 outbox entries   8 profiles written   9 profiles deleted   10 profile expiry in ms, 0 for none
--       11 timers set   12 timers removed   13 buckets appended   14 buckets deleted
--       then: field, value ...; entries; profile bytes; due, member ...; members removed; bucket bytes
-- Reply OK        written
--       DUPLICATE this commit id was written before: the first reply was lost
--       FENCED    the token is another owner's
--       CONFLICT  position or commit id is not the previous one
--
-- Redis runs a script in isolation but does not undo it on an error, so everything that can fail is checked before the
-- first write, and the meta, which makes the commit count, is written behind the rest. No key is used again that the script
-- itself has emptied: while a slot moves, Redis Cluster takes an absent key for one that has moved and breaks the script off.
-- What goes to one key is written in one call for every so many values: each call costs, in the script and again in Redis' log.
-- All at once it cannot be, unpack fails above about 8,000 values.

local function whole_at(i)
  local n = tonumber(ARGV[i])
  if not n or n < 0 or n >= 2 ^ 53 or n ~= math.floor(n) then
    error({ err = 'ERR commit: ARGV[' .. i .. '] must be a whole number of 0 or more' })
  end
  return n
end

-- `command` with as many pieces of `size` arguments from `first` on as one call takes, until `count` are written.
local function in_calls(command, key, first, count, size)
  local most = 1000 * size
  local last = first + count * size - 1
  for i = first, last, most do
    redis.call(command, key, unpack(ARGV, i, math.min(i + most - 1, last)))
  end
end

local trim = whole_at(5)
local fields, entries = whole_at(6), whole_at(7)
local written, deleted, ttl = whole_at(8), whole_at(9), whole_at(10)
local set, removed = whole_at(11), whole_at(12)
local appended, dropped = whole_at(13), whole_at(14)

if fields > 100 then
  return redis.error_reply('ERR commit: ' .. fields .. ' meta fields, 100 at most')
end
if #KEYS ~= 3 + written + deleted + appended + dropped then
  return redis.error_reply('ERR commit: ' .. #KEYS .. ' keys do not match the counts')
end
if #ARGV ~= 14 + 2 * fields + entries + written + 2 * set + removed + appended then
  return redis.error_reply('ERR commit: ' .. #ARGV .. ' arguments do not match the counts')
end
local function type_error(i, expected)
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('ERR commit: key ' .. i .. ' must be a ' .. expected .. ', is a ' .. kind)
  end
end
local wrong = type_error(1, 'hash') or type_error(2, 'list') or type_error(3, 'zset')
-- Profiles are set and deleted, which works on any type; only appending needs a string.
for i = 4 + written + deleted, 3 + written + deleted + appended do
  wrong = wrong or type_error(i, 'string')
end
if wrong then
  return wrong
end
local first_due = 14 + 2 * fields + entries + written
for i = 1, set do
  local due = tonumber(ARGV[first_due + 2 * i - 1])
  -- Not a number is not even equal to itself.
  if not due or due ~= due then
    return redis.error_reply('ERR commit: a timer must have a number')
  end
end

local now = redis.call('HMGET', KEYS[1], 'token', 'commit_id', 'position', 'renewals')
-- protection: token
if now[1] ~= ARGV[1] then
  return 'FENCED'
end
-- end
if now[2] == ARGV[2] then
  return 'DUPLICATE'
end
-- protection: compare_and_set
if now[2] ~= ARGV[4] or now[3] ~= ARGV[3] then
  return 'CONFLICT'
end
-- end

local key, arg = 3, 14 + 2 * fields

in_calls('RPUSH', KEYS[2], arg + 1, entries, 1)
arg = arg + entries

if ttl > 0 then
  for i = 1, written do
    redis.call('SET', KEYS[key + i], ARGV[arg + i], 'PX', ARGV[10])
  end
else
  for i = 1, written do
    redis.call('SET', KEYS[key + i], ARGV[arg + i])
  end
end
key, arg = key + written, arg + written
for i = 1, deleted do
  redis.call('DEL', KEYS[key + i])
end
key = key + deleted

in_calls('ZADD', KEYS[3], arg + 1, set, 2)
arg = arg + 2 * set
local left = removed > 0 and redis.call('ZCARD', KEYS[3]) or 0
for i = 1, removed do
  -- The last one took the key with it.
  if left > 0 then
    left = left - redis.call('ZREM', KEYS[3], ARGV[arg + i])
  end
end
arg = arg + removed

for i = 1, appended do
  redis.call('APPEND', KEYS[key + i], ARGV[arg + i])
end
key = key + appended
for i = 1, dropped do
  redis.call('DEL', KEYS[key + i])
end

local renewals = string.format('%.0f', (tonumber(now[4]) or 0) + 1)
redis.call('HSET', KEYS[1], 'commit_id', ARGV[2], 'renewals', renewals, unpack(ARGV, 15, 14 + 2 * fields))
-- Behind the meta, because what broke off before it is sent again and would trim twice: entries that nobody has published yet.
-- A trim that is missing leaves some that are published, which the next owner finds out.
if trim > 0 then
  redis.call('LTRIM', KEYS[2], trim, -1)
end
return 'OK'
