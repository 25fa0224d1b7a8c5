#!lua
-- Makes sure that the next workshop id is above the given one.
-- KEYS  1 last id   ARGV  1 id
if (tonumber(redis.call('GET', KEYS[1])) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
