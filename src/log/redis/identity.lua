#!lua
-- What tells this log from every other, and the run of Redis that it is in.
-- @include epochs.lua
-- KEYS  1 settings   ARGV  1 identity that it gets, or ''  2 whether instead of one that it has
-- Returns {identity or '', run}
if ARGV[1] ~= '' then
  redis.call(ARGV[2] == '1' and 'HSET' or 'HSETNX', KEYS[1], 'identity', ARGV[1])
end
return {redis.call('HGET', KEYS[1], 'identity') or '', currentRun() or ''}
