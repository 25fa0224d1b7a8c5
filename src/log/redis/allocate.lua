#!lua
-- A fresh workshop id, or the one that the same request got before.
-- @include epochs.lua
-- KEYS  1 last id  2 run in which the last id was compared  3 request
-- ARGV  1 fingerprint  2 ms the request is remembered, 0 for a request without a key
-- Returns {id, fingerprint of the first request}, or {} where ids may have been lost: they have to be raised first
if ARGV[2] ~= '0' then
  local found = redis.call('GET', KEYS[3])
  if found then
    local colon = string.find(found, ':', 1, true)
    return {string.sub(found, 1, colon - 1), string.sub(found, colon + 1)}
  end
end
if redis.call('GET', KEYS[2]) ~= currentRun() then return {} end
local id = redis.call('INCR', KEYS[1])
if ARGV[2] ~= '0' then redis.call('SET', KEYS[3], id .. ':' .. ARGV[1], 'PX', ARGV[2]) end
return {tostring(id), ARGV[1]}
