#!lua flags=no-writes
-- What a refusal must know before it is given: what the caller has not seen, and whether its command was done before.
-- KEYS  1 events  2 meta  3 done:0  4 done:1
-- ARGV  1 version that the caller has  2 '<user>:<command id>' or ''  3 limit of missing events
-- Returns {version, epoch, '<version>:<fingerprint>' or '', missing entries}
local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch', 'removed')
local exists = redis.call('EXISTS', KEYS[1]) == 1
-- Without a stream there is no workshop, whatever is left of it; but what was done to one that was removed was done.
if not exists and not meta[3] then return {'0', '', '', {}} end
local done = ''
if ARGV[2] ~= '' then
  done = redis.call('HGET', KEYS[3], ARGV[2]) or redis.call('HGET', KEYS[4], ARGV[2]) or ''
end
if not exists then return {'0', '', done, {}} end
local missing = {}
if (tonumber(meta[1]) or 0) > tonumber(ARGV[1]) then
  missing = redis.call('XRANGE', KEYS[1], (ARGV[1] + 1) .. '-0', '+', 'COUNT', ARGV[3])
end
return {meta[1] or '0', meta[2] or '', done, missing}
