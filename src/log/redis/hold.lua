#!lua
-- Changes what a node holds in a workshop.
-- @include presence.lua
-- KEYS  1 holds  2 workshops that the node holds  3 nodes
-- ARGV  1 workshop  2 node
--       3 'hold', 'drop' (a hold becomes one that is awaited), 'release', 'end' (all users), 'forget' (all, of a dead node)
--       4… users
local kind, users = ARGV[3], {}
-- It came back to life: what it says it holds it holds.
if kind == 'forget' and isAlive(KEYS[3], ARGV[2], clock()) then return 0 end
if kind == 'forget' or kind == 'end' then
  users = redis.call('HKEYS', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[1])
else
  for u = 4, #ARGV do users[#users + 1] = ARGV[u] end
end
if kind == 'hold' then redis.call('SADD', KEYS[2], ARGV[1]) end

local own, awaited = ARGV[2], ARGV[2] .. '~'
-- Lua cannot unpack lists of any length.
for first = 1, #users, 1000 do
  local last = math.min(first + 999, #users)
  local before = redis.call('HMGET', KEYS[1], unpack(users, first, last))
  local set, gone = {}, {}
  for u = first, last do
    local holders, held = {}, false
    for holder in string.gmatch(before[u - first + 1] or '', '[^;]+') do
      if holder == own or holder == awaited then held = true else holders[#holders + 1] = holder end
    end
    if kind == 'hold' then holders[#holders + 1] = own end
    if kind == 'drop' and held then holders[#holders + 1] = awaited end
    if #holders == 0 then
      gone[#gone + 1] = users[u]
    else
      set[#set + 1] = users[u]
      set[#set + 1] = table.concat(holders, ';')
    end
  end
  if #set > 0 then redis.call('HSET', KEYS[1], unpack(set)) end
  if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
end
-- Nobody is held there any more, such as in a workshop that does not exist: the node need not remember it.
if kind == 'release' and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[1]) end
return #users
