-- A cancelled step's callback has been run.
--
-- ARGV[4] step   ARGV[5] token
--
-- Returns {'ok' | 'unknown' | 'newer' | 'lost'}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
local head = header(ARGV[4])
local rec = head and load(ARGV[4], head)
if not rec or rec.callback == 0 or rec.token ~= tonumber(ARGV[5]) then
  return { 'lost' }
end
finish_callback(ARGV[4], rec, head)
commit()
return { 'ok' }
