-- Removes a finished workflow.
--
-- ARGV[5] only if it had finished by then, ms since 1970
--
-- Returns {'unknown' | 'newer' | 'running' | 'later'} or {'pruned', what state it was in}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
if meta.state == 'executing' then
  return { 'running' }
end
if tonumber(redis.call('HGET', WORKFLOW, 'finished')) > tonumber(ARGV[5]) then
  return { 'later' }
end
take_from_file()
redis.call('UNLINK', unpack(own_keys()))
return { 'pruned', meta.state }
