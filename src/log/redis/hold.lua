#!lua
-- Adds or takes away a node among the holders of users in a workshop.
-- KEYS  1 holds  2 workshops that the node holds
-- ARGV  1 workshop  2 node  3 'hold', 'release' or 'forget' (all users)  4… users
local users = {}
if ARGV[3] == 'forget' then
  users = redis.call('HKEYS', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[1])
else
  for u = 4, #ARGV do users[#users + 1] = ARGV[u] end
end
if ARGV[3] == 'hold' then redis.call('SADD', KEYS[2], ARGV[1]) end
for _, user in ipairs(users) do
  local holders = {}
  for holder in string.gmatch(redis.call('HGET', KEYS[1], user) or '', '[^;]+') do
    if holder ~= ARGV[2] then holders[#holders + 1] = holder end
  end
  if ARGV[3] == 'hold' then holders[#holders + 1] = ARGV[2] end
  if #holders == 0 then
    redis.call('HDEL', KEYS[1], user)
  else
    redis.call('HSET', KEYS[1], user, table.concat(holders, ';'))
  end
end
return #users
