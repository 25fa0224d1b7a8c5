#!lua
-- Puts a staging stream, written from what was kept elsewhere, in place of a workshop's that is gone, under a new epoch. What is
-- known of command ids stays: where they are kept nobody knows what was sent under them.
-- @include epochs.lua
-- @include dropSnapshot.lua
-- KEYS  1 events  2 meta  3 done:0  4 done:1  5 staging stream  6 timers  7 open  8 room
-- ARGV  1 workshop  2 version of the last event  3 its time in ms  4 new epoch  5 ms a bucket of command ids lasts
--       6 how often it had been rewritten where it is kept, before it was read there
--       7… command ids to be remembered, each '<user>:<id>' and '<version>:'
-- Returns 1, or 0 where the workshop has a stream, or is another one by now: the staging stream is dropped then
local meta = redis.call('HMGET', KEYS[2], 'anew', 'removed', 'version', 'bucket')
local isOld = (meta[1] or '0') ~= ARGV[6] or (meta[2] and tonumber(meta[3]) > tonumber(ARGV[2]))
if redis.call('EXISTS', KEYS[1]) == 1 or isOld then
  redis.call('DEL', KEYS[5])
  return 0
end
if redis.call('XLEN', KEYS[5]) ~= tonumber(ARGV[2]) then
  return redis.error_reply('WORKSHOP the events of workshop ' .. ARGV[1] .. ' did not all arrive')
end
redis.call('RENAME', KEYS[5], KEYS[1])
redis.call('PERSIST', KEYS[1])
redis.call('DEL', KEYS[2])
dropSnapshot(KEYS[8])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = math.floor(now / ARGV[5])
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'at', ARGV[3], 'epoch', ARGV[4], 'bucket', bucket, 'run', currentRun())
-- Buckets go as in append.lua.
local current, other = KEYS[3 + bucket % 2], KEYS[3 + (bucket + 1) % 2]
local before = tonumber(meta[4]) or bucket
if before ~= bucket then
  redis.call('DEL', current)
  if before < bucket - 1 then redis.call('DEL', other) end
end
for i = 7, #ARGV, 2 do
  local isKnown = redis.call('HGET', current, ARGV[i]) or redis.call('HGET', other, ARGV[i])
  if not isKnown then redis.call('HSET', current, ARGV[i], ARGV[i + 1]) end
end
redis.call('PEXPIRE', current, 2 * ARGV[5])
redis.call('ZADD', KEYS[6], now, ARGV[1])
redis.call('SADD', KEYS[7], ARGV[1])
return 1
