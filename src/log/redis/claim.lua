#!lua
-- Takes timers whose time has come, the longest due first, and puts them off: nobody else is given them for that long.
-- KEYS  1 timers   ARGV  1 how many at most  2 ms for which they are put off
-- Returns their workshops
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, workshop in ipairs(due) do redis.call('ZADD', KEYS[1], now + ARGV[2], workshop) end
return due
