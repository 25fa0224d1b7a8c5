#!lua
-- Appends the events of one or more commands to a workshop, or nothing at all. All checks come before the first write:
-- Lua in Redis has no rollback.
-- @include epochs.lua
-- @include feed.lua
-- @include entries.lua
-- @include presence.lua
--
-- KEYS  1 events  2 meta  3 done:0  4 done:1  5 feed  6 partition  7 timers  8 holds  9 nodes  10 open  11 aside
-- ARGV  1 workshop  2 base version  3 expected epoch or ''  4 deadline in ms  5 feed length  6 doorbell
--       7 node  8 '1' wakes the timer  9 ms a bucket of command ids lasts  10 limit of missing events
--       11 the next epoch, should one begin  12 number of commands, then for each command:
--       by, id, fingerprint, '1' remember, user of unlessHeld or '', '1' leaves, number of reads,
--       reads…, number of events, and for each event: id, type, schema, data, number of marks, marks…
-- Returns one of
--       {'appended', from, to, at, epoch, missing entries, number in the feed}
--       {'conflict', version, epoch, missing entries}
--       {'done', {index, version, fingerprint, …}, missing entries}
--       {'held', {index, …}}   {'epoch', epoch, version}   {'late'}
local now = clock()
if now > tonumber(ARGV[4]) then return {'late'} end

local base, bucketMs, limit = tonumber(ARGV[2]), tonumber(ARGV[9]), tonumber(ARGV[10])
local meta = redis.call('HMGET', KEYS[2], 'version', 'at', 'epoch', 'bucket', 'run', 'past')
local version, epoch = tonumber(meta[1]) or 0, meta[3]
local exists = redis.call('EXISTS', KEYS[1]) == 1
if version == 0 and exists then
  return redis.error_reply('WORKSHOP the stream of workshop ' .. ARGV[1] .. ' has lost its meta key')
end
-- The stream is gone, and nothing may follow on nothing: the caller reads the workshop anew, and puts it back if it can.
if version > 0 and not exists then return {'conflict', '0', '', {}} end

-- Events may have been lost that someone has seen: a new epoch begins, whatever becomes of this append. It is the one write
-- that does not wait for the checks.
local run = currentRun()
if epoch and meta[5] ~= run then
  redis.call('HSET', KEYS[2], 'epoch', ARGV[11], 'run', run, 'past', withEnd(meta[6], epoch, version))
  epoch = ARGV[11]
end

-- The commands, and who is who among them.
local commands, index = {}, 13
for c = 1, tonumber(ARGV[12]) do
  local command = {by = ARGV[index], id = ARGV[index + 1], fingerprint = ARGV[index + 2],
    remember = ARGV[index + 3] == '1', user = ARGV[index + 4], leaves = ARGV[index + 5] == '1', reads = {}, events = {}}
  local reads = tonumber(ARGV[index + 6])
  index = index + 7
  for r = 1, reads do command.reads[r] = ARGV[index + r - 1] end
  index = index + reads
  local events = tonumber(ARGV[index])
  index = index + 1
  for e = 1, events do
    local event = {id = ARGV[index], type = ARGV[index + 1], schema = ARGV[index + 2], data = ARGV[index + 3], marks = {}}
    local marks = tonumber(ARGV[index + 4])
    index = index + 5
    for m = 1, marks do event.marks[m] = ARGV[index + m - 1] end
    index = index + marks
    command.events[e] = event
  end
  commands[c] = command
end

-- Done before: in the memory of ids, or among the events that the caller has not seen (a call resent by the driver).
local missing = {}
if version > base then missing = redis.call('XRANGE', KEYS[1], (base + 1) .. '-0', '+', 'COUNT', limit) end
local unseen = {}
for _, entry in ipairs(missing) do
  unseen[(fieldOf(entry, 'by') or '') .. ':' .. (fieldOf(entry, 'command') or '')] = entry[1]
end
local done = {}
for c, command in ipairs(commands) do
  local field = command.by .. ':' .. command.id
  local found = false
  if command.remember then
    found = redis.call('HGET', KEYS[3], field) or redis.call('HGET', KEYS[4], field)
    if found then
      local colon = string.find(found, ':', 1, true)
      done[#done + 1] = c - 1
      done[#done + 1] = string.sub(found, 1, colon - 1)
      done[#done + 1] = string.sub(found, colon + 1)
    end
  end
  if not found then
    local last = unseen[field]
    if last then
      done[#done + 1] = c - 1
      done[#done + 1] = string.sub(last, 1, -3)
      done[#done + 1] = ''
    end
  end
end
if #done > 0 then return {'done', done, missing} end

if ARGV[3] ~= '' and epoch and epoch ~= ARGV[3] then return {'epoch', epoch, tostring(version)} end

-- Does any event after base bear a mark that a decision rests on?
if version ~= base then
  local conflict = version < base or version - base > limit
  for _, command in ipairs(commands) do
    if conflict then break end
    for _, mark in ipairs(command.reads) do
      if mark == '*' or (tonumber(redis.call('HGET', KEYS[2], 'm:' .. mark)) or 0) > base then
        conflict = true
        break
      end
    end
  end
  if conflict then return {'conflict', tostring(version), epoch or '', missing} end
end

-- Is a presence that would end still held? Then what the caller ends of it goes, and the rest stays.
local held = {}
for c, command in ipairs(commands) do
  if command.user ~= '' then
    local ending = {node = ARGV[7], leaves = command.leaves}
    local isHeld, others = stillHeld(KEYS[8], KEYS[9], command.user, ending, now)
    if isHeld then
      held[#held + 1] = c - 1
      redis.call('HSET', KEYS[8], command.user, others)
    end
  end
end
if #held > 0 then return {'held', held} end

-- From here on only writes. How an entry of a stream or a feed is written is what programs of other versions read: `decode.ts`
-- says what may be added.
local at = math.max(now, tonumber(meta[2]) or 0)
if not epoch then epoch = ARGV[11] end
local bucket = math.floor(now / bucketMs)
local current = KEYS[3 + bucket % 2]
local from = version + 1
local marks, feed = {}, {'w', ARGV[1], 'v', from, 'e', epoch, 'at', at}
if tonumber(meta[4]) ~= bucket then
  redis.call('DEL', current)
  if (tonumber(meta[4]) or bucket) < bucket - 1 then redis.call('DEL', KEYS[3 + (bucket + 1) % 2]) end
end
for _, command in ipairs(commands) do
  for _, event in ipairs(command.events) do
    version = version + 1
    redis.call('XADD', KEYS[1], version .. '-0', 'event', event.id, 'type', event.type, 'schema', event.schema,
      'at', at, 'by', command.by, 'command', command.id, 'data', event.data)
    for _, mark in ipairs(event.marks) do marks['m:' .. mark] = version end
    local n = #feed
    feed[n + 1], feed[n + 2], feed[n + 3] = event.id, event.type, event.schema
    feed[n + 4], feed[n + 5], feed[n + 6] = command.by, command.id, event.data
  end
  if command.remember then
    redis.call('HSET', current, command.by .. ':' .. command.id, version .. ':' .. command.fingerprint)
    redis.call('PEXPIRE', current, 2 * bucketMs)
  end
  if command.user ~= '' then redis.call('HDEL', KEYS[8], command.user) end
end
local seq = nextSequence(KEYS[6], run, now)
local fields = {'version', version, 'at', at, 'epoch', epoch, 'bucket', bucket, 'run', run, 'seq', seq}
for mark, seen in pairs(marks) do
  fields[#fields + 1] = mark
  fields[#fields + 1] = seen
end
if ARGV[8] == '1' then
  fields[#fields + 1] = 'woken'
  fields[#fields + 1] = version
  redis.call('ZADD', KEYS[7], now, ARGV[1])
end
redis.call('HSET', KEYS[2], unpack(fields))
if from == 1 then
  redis.call('SADD', KEYS[10], ARGV[1])
  -- Redis makes room for 4 kB with a stream's first entry, and a copy takes what it needs: a scheduled workshop, which may lie there
  -- for years, is 1 kB so and 5 kB otherwise. Rights of before this was done do not have it.
  local copied = redis.pcall('COPY', KEYS[1], KEYS[11])
  if copied == 1 then redis.call('RENAME', KEYS[11], KEYS[1]) end
end
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[5], seq .. '-0', unpack(feed))
redis.call('PUBLISH', ARGV[6], seq)
return {'appended', tostring(from), tostring(version), string.format('%.0f', at), epoch, missing, seq}
