-- A cancelled step's callback has been run.
--
-- ARGV[5] step   ARGV[6] token
--
-- Returns {'ok' | 'unknown' | 'newer' | 'lost'}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
local head = header(ARGV[5])
local rec = head and load(ARGV[5], head)
if not rec or rec.callback == 0 or rec.token ~= tonumber(ARGV[6]) then
  return { 'lost' }
end
finish_callback(ARGV[5], rec, head)
commit()
return { 'ok' }
