#!lua
-- Tells every reader of the feed that a workshop without a stream was rewritten where it is kept.
-- @include epochs.lua
-- @include feed.lua
-- Whoever is putting it back from what it was before finds the count changed (refill.lua).
-- KEYS  1 feed  2 partition  3 meta   ARGV  1 workshop  2 doorbell  3 number of the partition
redis.call('HINCRBY', KEYS[3], 'anew', 1)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seq = nextSequence(KEYS[2], currentRun(), now)
tellRewritten(KEYS[1], ARGV[2], {partition = ARGV[3], seq = seq, workshop = ARGV[1], version = 0,
  epoch = '', at = now})
return 1
