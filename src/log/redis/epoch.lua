#!lua
-- Puts a new epoch in place of the given one, if that is still the workshop's: its last events were found to be missing.
-- @include epochs.lua
-- KEYS  1 meta   ARGV  1 epoch to be replaced  2 new epoch
-- Returns the workshop's epoch then
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'run', 'past')
if meta[1] ~= ARGV[1] then return meta[1] or '' end
local run = currentRun()
-- Where a restart or a failover took them and nothing was appended since, the old epoch ends where the stream does. Otherwise
-- (a backup was put back, keys were deleted) nobody knows up to where its readers saw what is there now.
local past = ''
if meta[3] ~= run then past = withEnd(meta[4], meta[1], meta[2]) end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'run', run, 'past', past)
return ARGV[2]
