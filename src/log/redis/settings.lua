#!lua
-- What was settled when the log in this Redis was begun. Of several nodes that begin it at once one does.
-- KEYS  1 settings   ARGV  1 number of partitions, and  2 number of the layout, of a fresh log
-- Returns {number of partitions or '', number of the layout}
local found = redis.call('HMGET', KEYS[1], 'partitions', 'layout')
local partitions, layout = found[1], found[2]
if not partitions and not layout then
  partitions, layout = ARGV[1], ARGV[2]
  redis.call('HSET', KEYS[1], 'partitions', partitions, 'layout', layout)
elseif not layout then
  -- Begun before layouts had numbers.
  layout = '1'
  redis.call('HSET', KEYS[1], 'layout', layout)
end
return {partitions or '', layout}
