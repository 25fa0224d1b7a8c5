-- Lets go of a folded room, for the scripts that include this: events that it was folded from are others now. Field by field,
-- since the rights of a node are those of its users' file, and deleting is one that names keys.
local function dropSnapshot(room)
  redis.call('HDEL', room, 'version', 'epoch', 'event', 'room')
end
