#!lua
-- Makes sure that the next workshop id is above the given one, the highest that is known elsewhere.
-- @include epochs.lua
-- KEYS  1 last id  2 run in which the last id was compared   ARGV  1 id
if (tonumber(redis.call('GET', KEYS[1])) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('SET', KEYS[2], currentRun())
return 1
