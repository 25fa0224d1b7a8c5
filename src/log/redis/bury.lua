#!lua
-- Forgets a dead node that holds nothing any more in a partition, unless it came back to life.
-- KEYS  1 nodes  2 workshops that the node holds   ARGV  1 node
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) > now then return 0 end
if redis.call('SCARD', KEYS[2]) > 0 then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
