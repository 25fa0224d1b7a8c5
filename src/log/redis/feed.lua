-- A partition's feed, for the scripts that include this. Its numbers: each one more than the last.
-- In a new run they jump, further than any lost tail can have come: what a reader saw of that tail is then never taken for what
-- is there now, but shows as a gap. `hasSeen` says that the run was looked at in this call.
local function nextSequence(partition, run, now, hasSeen)
  local found = not hasSeen and redis.call('HMGET', partition, 'seq', 'run')
  if found and found[2] ~= run then
    local jump = string.format('%.0f', math.max((tonumber(found[1]) or 0) + 1000000, now))
    redis.call('HSET', partition, 'seq', jump, 'run', run)
    if not found[1] then redis.call('HSET', partition, 'first', string.format('%.0f', jump + 1)) end
  end
  return string.format('%.0f', redis.call('HINCRBY', partition, 'seq', 1))
end

-- Takes everything out of the feed up to the entry with that number, which is a workshop's last append; where it is not known,
-- everything. Who had not read that far gets a gap.
local function trimUpTo(feed, seq)
  if seq then
    redis.call('XTRIM', feed, 'MINID', '=', string.format('%.0f', seq + 1))
  else
    redis.call('XTRIM', feed, 'MAXLEN', '=', 0)
  end
end

-- Rings for the partitions and their last numbers in the feed, each '<partition>:<number>'.
local function ring(doorbell, partitions)
  if #partitions > 0 then redis.call('PUBLISH', doorbell, table.concat(partitions, ' ')) end
end

-- An entry without events: what readers hold of the workshop, up to that version, was rewritten.
local function tellRewritten(feed, doorbell, entry)
  redis.call('XADD', feed, entry.seq .. '-0',
    'w', entry.workshop, 'v', string.format('%.0f', entry.version + 1), 'e', entry.epoch, 'at', entry.at)
  ring(doorbell, {entry.partition .. ':' .. entry.seq})
end
