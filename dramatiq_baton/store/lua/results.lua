-- Reads the results of some deps.
--
-- ARGV[5...] names of steps
--
-- Returns for each of them {'value', result} or {'none'}, or {'pruned'} where a result was
-- stored and is gone.

local replies = {}
local values = redis.call('HMGET', RESULTS, unpack(ARGV, 5))
for i, value in ipairs(values) do
  if value then
    replies[i] = { 'value', value }
  else
    local obstacle = not meta and open_workflow()
    local rec = not obstacle and load(ARGV[i + 4])
    replies[i] = { rec and rec.state == S.completed and 'pruned' or 'none' }
  end
end
return replies
