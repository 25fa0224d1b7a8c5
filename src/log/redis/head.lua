#!lua flags=no-writes
-- KEYS  1 events  2 meta
-- Returns {version, epoch, past epochs} as `epochs.lua` writes them, or {} where the workshop has no stream
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch', 'past')
return {meta[1] or '0', meta[2] or '', meta[3] or ''}
