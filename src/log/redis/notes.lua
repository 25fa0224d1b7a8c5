#!lua
-- Puts notes and takes some away.
-- KEYS  1 notes   ARGV  1 how many of what follows are names and texts in turn  2… those, then names that go
local kept = tonumber(ARGV[1])
for i = 2, kept + 1, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = kept + 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
