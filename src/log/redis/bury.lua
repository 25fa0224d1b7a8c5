#!lua
-- Forgets a dead node that holds nothing any more in a partition, unless it came back to life.
-- @include presence.lua
-- KEYS  1 nodes  2 workshops that the node holds   ARGV  1 node
if isAlive(KEYS[1], ARGV[1], clock()) then return 0 end
if redis.call('SCARD', KEYS[2]) > 0 then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
