-- Entries of a workshop's stream, for the scripts that include this: `{id, {name, value, …}}`. Fields are found by name, as in
-- `decode.ts`, which tells why.
local function fieldOf(entry, name)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return nil
end
