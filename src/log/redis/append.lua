#!lua
-- Appends the events of commands to workshops. Each append is done as a whole or not at all, whatever becomes of the others in the
-- call: all its checks come before its first write, since Lua in Redis has no rollback.
-- @include epochs.lua
-- @include feed.lua
-- @include entries.lua
-- @include presence.lua
--
-- KEYS  for each partition: feed  partition  timers  nodes  open
--       for each append: events  meta  done:0  done:1, then what its flags ask for: h holds  a aside
-- ARGV  1 doorbell  2 feed length  3 ms a bucket of command ids lasts  4 limit of missing events
--       5 the next epoch, should one begin  6 number of partitions, then the number of each
--       and for each append up to the end: place of its partition, workshop, base version, expected epoch or '',
--       deadline in ms, node, flags (h, a, w wakes the timer), number of commands, then for each command:
--       by, id, fingerprint, '1' remember, user of unlessHeld or '', '1' leaves, number of reads, reads…,
--       number of events, and for each event: id, type, schema, data, number of marks, marks…
-- Returns for each append, in their order, one of
--       {'appended', from, to, at, epoch, missing entries, number in the feed}
--       {'conflict', version, epoch, missing entries}
--       {'done', {index, version, fingerprint, …}, missing entries}
--       {'held', {index, …}}   {'epoch', epoch, version}   {'late'}   {'failed', why}
local now, run = clock(), currentRun()
local feedLength, bucketMs, limit, nextEpoch = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local bucket = math.floor(now / bucketMs)

local argument, key = 5, 0
local function take()
  argument = argument + 1
  return ARGV[argument]
end
local function takeKey()
  key = key + 1
  return KEYS[key]
end
local function takeList()
  local list = {}
  for i = 1, tonumber(take()) do list[i] = take() end
  return list
end

local function takeCommand()
  local command = {by = take(), id = take(), fingerprint = take(), remember = take() == '1', user = take(),
    leaves = take() == '1', reads = takeList(), events = {}}
  for e = 1, tonumber(take()) do
    command.events[e] = {id = take(), type = take(), schema = take(), data = take(), marks = takeList()}
  end
  return command
end

local function takeAppend(partitions)
  local append = {partition = partitions[tonumber(take())], workshop = take(), base = tonumber(take()), epoch = take(),
    deadline = tonumber(take()), node = take(), commands = {}}
  local flags = take()
  append.wakes = string.find(flags, 'w', 1, true)
  append.events, append.meta, append.done = takeKey(), takeKey(), {[0] = takeKey(), [1] = takeKey()}
  if string.find(flags, 'h', 1, true) then append.holds = takeKey() end
  if string.find(flags, 'a', 1, true) then append.aside = takeKey() end
  for c = 1, tonumber(take()) do append.commands[c] = takeCommand() end
  return append
end

-- Which commands were done before: by the memory of ids, or by events that the caller has not seen (a call resent by the driver).
local function doneBefore(append, missing)
  local unseen = {}
  for _, entry in ipairs(missing) do
    unseen[(fieldOf(entry, 'by') or '') .. ':' .. (fieldOf(entry, 'command') or '')] = entry[1]
  end
  local done = {}
  for c, command in ipairs(append.commands) do
    local field = command.by .. ':' .. command.id
    local found = command.remember
      and (redis.call('HGET', append.done[0], field) or redis.call('HGET', append.done[1], field))
    if found then
      local colon = string.find(found, ':', 1, true)
      done[#done + 1] = c - 1
      done[#done + 1] = string.sub(found, 1, colon - 1)
      done[#done + 1] = string.sub(found, colon + 1)
    elseif unseen[field] then
      done[#done + 1] = c - 1
      done[#done + 1] = string.sub(unseen[field], 1, -3)
      done[#done + 1] = ''
    end
  end
  return done
end

-- Does any event after base bear a mark that a decision rests on?
local function isConflict(append, version)
  if version < append.base or version - append.base > limit then return true end
  for _, command in ipairs(append.commands) do
    for _, mark in ipairs(command.reads) do
      if mark == '*' or (tonumber(redis.call('HGET', append.meta, 'm:' .. mark)) or 0) > append.base then return true end
    end
  end
  return false
end

-- Which presences that would end are still held? Of those what the caller ends goes, and the rest stays.
local function stillHeldBy(append)
  local held = {}
  for c, command in ipairs(append.commands) do
    if command.user ~= '' then
      local ending = {node = append.node, leaves = command.leaves}
      local isHeld, others = stillHeld(append.holds, append.partition.nodes, command.user, ending, now)
      if isHeld then
        held[#held + 1] = c - 1
        redis.call('HSET', append.holds, command.user, others)
      end
    end
  end
  return held
end

-- How an entry of a stream or a feed is written is what programs of other versions read: `decode.ts` says what may be added.
local function write(append, version, epoch, at, seenBucket)
  local partition, from = append.partition, version + 1
  local current = append.done[bucket % 2]
  local marks, feed = {}, {'w', append.workshop, 'v', from, 'e', epoch, 'at', at}
  if seenBucket ~= bucket then
    redis.call('DEL', current)
    if (seenBucket or bucket) < bucket - 1 then redis.call('DEL', append.done[(bucket + 1) % 2]) end
  end
  local n = #feed
  for _, command in ipairs(append.commands) do
    for _, event in ipairs(command.events) do
      version = version + 1
      redis.call('XADD', append.events, version .. '-0', 'event', event.id, 'type', event.type, 'schema', event.schema,
        'at', at, 'by', command.by, 'command', command.id, 'data', event.data)
      for _, mark in ipairs(event.marks) do marks['m:' .. mark] = version end
      feed[n + 1], feed[n + 2], feed[n + 3] = event.id, event.type, event.schema
      feed[n + 4], feed[n + 5], feed[n + 6] = command.by, command.id, event.data
      n = n + 6
    end
    if command.remember then
      redis.call('HSET', current, command.by .. ':' .. command.id, version .. ':' .. command.fingerprint)
      redis.call('PEXPIRE', current, 2 * bucketMs)
    end
    if command.user ~= '' then redis.call('HDEL', append.holds, command.user) end
  end
  local seq = nextSequence(partition.counter, run, now, partition.rung)
  local fields = {'version', version, 'at', at, 'epoch', epoch, 'bucket', bucket, 'run', run, 'seq', seq}
  for mark, seen in pairs(marks) do
    fields[#fields + 1] = mark
    fields[#fields + 1] = seen
  end
  if append.wakes then
    fields[#fields + 1] = 'woken'
    fields[#fields + 1] = version
    redis.call('ZADD', partition.timers, now, append.workshop)
  end
  redis.call('HSET', append.meta, unpack(fields))
  if from == 1 then
    redis.call('SADD', partition.open, append.workshop)
    -- Redis makes room for 4 kB with a stream's first entry, and a copy takes what it needs: a scheduled workshop, which may lie
    -- there for years, is 1 kB so and 5 kB otherwise. Rights of before this was done do not have it.
    local copied = append.aside and redis.pcall('COPY', append.events, append.aside)
    if copied == 1 then redis.call('RENAME', append.aside, append.events) end
  end
  redis.call('XADD', partition.feed, 'MAXLEN', '~', feedLength, seq .. '-0', unpack(feed))
  partition.rung = seq
  return version, seq
end

local function appended(append)
  if now > append.deadline then return {'late'} end
  local base = append.base
  local meta = redis.call('HMGET', append.meta, 'version', 'at', 'epoch', 'bucket', 'run', 'past')
  local version, epoch = tonumber(meta[1]) or 0, meta[3]
  local exists = redis.call('EXISTS', append.events) == 1
  if version == 0 and exists then error('WORKSHOP the stream of workshop ' .. append.workshop .. ' has lost its meta key', 0) end
  -- The stream is gone, and nothing may follow on nothing: the caller reads the workshop anew, and puts it back if it can.
  if version > 0 and not exists then return {'conflict', '0', '', {}} end

  -- Events may have been lost that someone has seen: a new epoch begins, whatever becomes of this append. It is the one write that
  -- does not wait for the checks.
  if epoch and meta[5] ~= run then
    redis.call('HSET', append.meta, 'epoch', nextEpoch, 'run', run, 'past', withEnd(meta[6], epoch, version))
    epoch = nextEpoch
  end

  local missing = {}
  if version > base then missing = redis.call('XRANGE', append.events, (base + 1) .. '-0', '+', 'COUNT', limit) end
  local done = doneBefore(append, missing)
  if #done > 0 then return {'done', done, missing} end
  if append.epoch ~= '' and epoch and epoch ~= append.epoch then return {'epoch', epoch, tostring(version)} end
  if version ~= base and isConflict(append, version) then return {'conflict', tostring(version), epoch or '', missing} end
  local held = stillHeldBy(append)
  if #held > 0 then return {'held', held} end

  -- From here on only writes.
  local at = math.max(now, tonumber(meta[2]) or 0)
  local to, seq = write(append, version, epoch or nextEpoch, at, tonumber(meta[4]))
  return {'appended', tostring(version + 1), tostring(to), string.format('%.0f', at), epoch or nextEpoch, missing, seq}
end

local partitions = {}
for p = 1, tonumber(take()) do
  partitions[p] = {number = take(), feed = takeKey(), counter = takeKey(), timers = takeKey(), nodes = takeKey(),
    open = takeKey()}
end
local answers = {}
while argument < #ARGV do
  local append = takeAppend(partitions)
  -- One that fails, such as a key of another kind where a stream should be, takes none of the others with it.
  local ok, answer = pcall(appended, append)
  if not ok then answer = {'failed', type(answer) == 'table' and answer.err or tostring(answer)} end
  answers[#answers + 1] = answer
end
local rung = {}
for _, partition in ipairs(partitions) do
  if partition.rung then rung[#rung + 1] = partition.number .. ':' .. partition.rung end
end
ring(ARGV[1], rung)
return answers
