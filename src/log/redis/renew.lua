#!lua
-- Keeps a node's holds in one partition alive, by Redis' own clock.
-- @include presence.lua
-- KEYS  1 nodes   ARGV  1 node  2 ms
-- Returns 1 where its lease still stood, 0 where it had run out or never begun
local now = clock()
local stood = isAlive(KEYS[1], ARGV[1], now)
redis.call('HSET', KEYS[1], ARGV[1], now + ARGV[2])
return stood and 1 or 0
