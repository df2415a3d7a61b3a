-- A workflow as it is, as far as that can be read at once.
--
-- ARGV[5] most steps that may be read in one script
--
-- Returns {} if there is no such workflow, else {fields of the workflow}, followed by {:steps} and
-- {:state} if it is small enough.

local fields = redis.call('HGETALL', WORKFLOW)
if #fields == 0 then
  return {}
end
if redis.call('HLEN', STEPS) > tonumber(ARGV[5]) then
  return { fields }
end
return { fields, redis.call('HGETALL', STEPS), redis.call('HGETALL', STATE) }
