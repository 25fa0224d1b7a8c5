#!lua
-- Sets or drops a workshop's timer, unless an event after the given version woke it meanwhile.
-- KEYS  1 meta  2 timers   ARGV  1 workshop  2 time in ms or ''  3 version
if (tonumber(redis.call('HGET', KEYS[1], 'woken')) or 0) > tonumber(ARGV[3]) then return 0 end
if ARGV[2] == '' then redis.call('ZREM', KEYS[2], ARGV[1]) else redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1]) end
return 1
