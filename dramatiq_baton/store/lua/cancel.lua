-- Cancels a workflow: from now on, every step that hasn't settled counts as cancelled. The steps are gone over in
-- portions, with spread.lua.
--
-- ARGV[5] reason   ARGV[6] 1: running actors are to be interrupted, else 0
--
-- Returns {'unknown' | 'newer'}, {'finished', 0, state} if there is nothing to cancel, or {'ok', more, number of steps}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle, 0 }
end
if meta.state ~= 'executing' then
  return { 'finished', 0, meta.state }
end
local number = 0
if not meta.called_off then -- else somebody else has cancelled it, and counted
  local found = redis.call('HMGET', WORKFLOW, 'open', 'callbacks')
  number = tonumber(found[1]) - tonumber(found[2] or 0)
  meta.called_off, meta.walk = ARGV[5], 'cancel'
  hide_from_older()
  redis.call('HSET', WORKFLOW,
    'called_off', meta.called_off, 'interrupt', ARGV[6], 'walk', meta.walk, 'cursor', 0)
  redis.call('DEL', SPREADS)
end
local more = go_on()
commit()
return { 'ok', more, number }
