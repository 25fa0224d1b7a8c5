#!lua
-- Keeps a room that was folded up to a version, if the workshop has that event in that epoch, and nothing newer is kept.
-- @include entries.lua
-- KEYS  1 events  2 meta  3 room   ARGV  1 version  2 epoch  3 room  4 ms it is kept
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[2] then return 0 end
local entry = redis.call('XRANGE', KEYS[1], ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
if not entry then return 0 end
local kept = redis.call('HMGET', KEYS[3], 'version', 'epoch')
if kept[2] == ARGV[2] and tonumber(kept[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[3], 'version', ARGV[1], 'epoch', ARGV[2], 'event', fieldOf(entry, 'event'), 'room', ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1
