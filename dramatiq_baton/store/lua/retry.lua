-- Resumes a finished workflow: its discarded and cancelled steps are to run again, in a new run of the workflow. They
-- are gone over in portions, with spread.lua.
--
-- ARGV[5] what may be spent from now on, in trillionths of a dollar; '' leaves its budget as it is
--
-- Returns {'unknown' | 'newer' | 'running'} or {'ok', more, number of steps}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle, 0 }
end
if meta.state == 'executing' then
  return { 'running', 0, 0 }
end
local found = redis.call('HMGET', WORKFLOW, 'n:discarded', 'n:cancelled')
local number = tonumber(found[1] or 0) + tonumber(found[2] or 0)
if number == 0 then
  return { 'ok', 0, 0 }
end
for _, key in ipairs(own_keys()) do
  redis.call('PERSIST', key)
end
take_from_file()
meta.state, meta.run, meta.called_off, meta.walk = 'executing', meta.run + 1, false, 'reset'
hide_from_older()
-- An eager workflow's messages are used up, so what is ready is sent now, as in any other.
redis.call('HSET', WORKFLOW,
  'state', meta.state, 'run', meta.run, 'started', NOW, 'open', number, 'dispatch', 'ready',
  'walk', meta.walk, 'cursor', 0)
if ARGV[5] ~= '' then
  redis.call('HSET', WORKFLOW, 'budget', ARGV[5])
end
redis.call('HDEL', WORKFLOW, 'finished', 'failed', 'called_off', 'interrupt')
file_as_running()
emit('workflow_started', '', '', '', 0, {})
local more = go_on()
commit()
return { 'ok', more, number }
