#!lua
-- A fresh workshop id, or the one that the same request got before.
-- KEYS  1 last id  2 request   ARGV  1 fingerprint  2 ms the request is remembered, 0 for a request without a key
-- Returns {id, fingerprint of the first request}
if ARGV[2] ~= '0' then
  local found = redis.call('GET', KEYS[2])
  if found then
    local colon = string.find(found, ':', 1, true)
    return {string.sub(found, 1, colon - 1), string.sub(found, colon + 1)}
  end
end
local id = redis.call('INCR', KEYS[1])
if ARGV[2] ~= '0' then redis.call('SET', KEYS[2], id .. ':' .. ARGV[1], 'PX', ARGV[2]) end
return {tostring(id), ARGV[1]}
