-- Presence as Redis keeps it, for the scripts that include this; the protocol is told in `src/presence/presence.ts`.
--   holds  a workshop's hash: user -> holders, '<node>;<node>~;…'. A holder is a node that is connected to the user, with `~`
--          behind it one to which the user's last connection dropped and that awaits them
--   nodes  a partition's hash: node -> until when its lease stands, in ms by Redis' own clock
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function isAlive(nodes, node, now)
  return (tonumber(redis.call('HGET', nodes, node)) or 0) > now
end

-- Whether a presence that would end is still held: by a living node that is connected to the user or awaits them. What ends does
-- not count: the own waiting, and where the user `leaves` the own connection and every waiting. Also who holds them beside that.
local function stillHeld(holds, nodes, user, ending, now)
  local others, held = {}, false
  for holder in string.gmatch(redis.call('HGET', holds, user) or '', '[^;]+') do
    local awaited = string.sub(holder, -1) == '~'
    local node = awaited and string.sub(holder, 1, -2) or holder
    local own = node == ending.node
    if not (own and (awaited or ending.leaves)) then
      others[#others + 1] = holder
      local living = own or isAlive(nodes, node, now)
      if living and not (awaited and ending.leaves) then held = true end
    end
  end
  return held, table.concat(others, ';')
end
