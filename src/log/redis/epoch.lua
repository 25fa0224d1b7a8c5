#!lua
-- Puts a new epoch in place of the given one, if that is still the workshop's.
-- KEYS  1 meta   ARGV  1 epoch to be replaced  2 new epoch
-- Returns the workshop's epoch then
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then return epoch or '' end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
return ARGV[2]
