#!lua
-- Removes a workshop's stream, if the workshop still ends where the caller says, and what the feed held of it. What stays is its
-- version, so that nothing is ever appended from version 1 on, and for its last minutes the memory of command ids.
-- @include feed.lua
-- @include dropSnapshot.lua
-- @include entries.lua
-- KEYS  1 events  2 meta  3 timers  4 open  5 holds  6 done:0  7 done:1  8 feed  9 room
-- ARGV  1 workshop  2 version  3 epoch  4 id of the last event  5 ms the memory of command ids lasts
-- Returns 1, or 0 where nothing was removed
local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch', 'at', 'seq', 'bucket')
if meta[1] ~= ARGV[2] or meta[2] ~= ARGV[3] then return 0 end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not last or last[1] ~= ARGV[2] .. '-0' or fieldOf(last, 'event') ~= ARGV[4] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[5])
redis.call('HSET', KEYS[2], 'version', meta[1], 'at', meta[3], 'removed', '1', 'bucket', meta[5])
dropSnapshot(KEYS[9])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
-- A workshop that was put back and not appended to since has nothing in the feed.
if meta[4] then trimUpTo(KEYS[8], meta[4]) end
for done = 6, 7 do redis.call('PEXPIRE', KEYS[done], ARGV[5]) end
return 1
