-- Numbers of a partition's feed, for the scripts that include this: each one more than the last.
-- In a new run they jump, further than any lost tail can have come: what a reader saw of that tail is then never taken for what
-- is there now, but shows as a gap.
local function nextSequence(partition, run, now)
  local known = redis.call('HMGET', partition, 'seq', 'run')
  if known[2] ~= run then
    local jump = string.format('%.0f', math.max((tonumber(known[1]) or 0) + 1000000, now))
    redis.call('HSET', partition, 'seq', jump, 'run', run)
    if not known[1] then redis.call('HSET', partition, 'first', string.format('%.0f', jump + 1)) end
  end
  return string.format('%.0f', redis.call('HINCRBY', partition, 'seq', 1))
end
