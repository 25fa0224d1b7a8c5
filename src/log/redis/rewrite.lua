#!lua
-- Puts a staging stream with rewritten events in place of a workshop's, if nothing was appended meanwhile. A new epoch begins in which
-- nothing counts that was seen before, and every reader of the feed is told. The feed loses what it held of the workshop.
-- @include epochs.lua
-- @include feed.lua
-- @include dropSnapshot.lua
-- KEYS  1 events  2 meta  3 staging stream  4 feed  5 partition  6 room
-- ARGV  1 workshop  2 version that the staging stream comes up to  3 epoch in which it was read  4 new epoch  5 doorbell
--       6 number of the partition
-- Returns 'done', 'behind' where events were appended since, or 'other' where the workshop is not the one that was read
local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch', 'at', 'seq')
if redis.call('EXISTS', KEYS[1]) == 0 or meta[2] ~= ARGV[3] then return 'other' end
if tonumber(meta[1]) > tonumber(ARGV[2]) then return 'behind' end
if redis.call('XLEN', KEYS[3]) ~= redis.call('XLEN', KEYS[1]) then return 'other' end
-- The old one is freed beside everything else that Redis does.
redis.call('UNLINK', KEYS[1])
redis.call('RENAME', KEYS[3], KEYS[1])
redis.call('PERSIST', KEYS[1])
dropSnapshot(KEYS[6])
local run = currentRun()
redis.call('HSET', KEYS[2], 'epoch', ARGV[4], 'run', run, 'past', '')
local time = redis.call('TIME')
local seq = nextSequence(KEYS[5], run, time[1] * 1000 + math.floor(time[2] / 1000))
trimUpTo(KEYS[4], meta[4])
tellRewritten(KEYS[4], ARGV[5], {partition = ARGV[6], seq = seq, workshop = ARGV[1], version = meta[1],
  epoch = ARGV[4], at = meta[3]})
return 'done'
