-- Epochs, for the scripts that include this. A Redis that was restarted, or a replica that took over, may lack events that
-- its predecessor acknowledged; each such run has another replication id. Asking for it costs under 2 microseconds.
local function currentRun()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- Past epochs, the newest first, each with the version at which it ended: '<epoch>:<version>,…'. Eight are kept.
local function withEnd(past, epoch, version)
  local list = {epoch .. ':' .. version}
  for each in string.gmatch(past or '', '[^,]+') do
    if #list < 8 then list[#list + 1] = each end
  end
  return table.concat(list, ',')
end
