#!lua
-- Keeps a node's holds in one partition alive, by Redis' own clock.
-- KEYS  1 nodes   ARGV  1 node  2 ms
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2])
return 1
