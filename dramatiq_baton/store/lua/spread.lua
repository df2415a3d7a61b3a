-- Tells the next portion of dependents what has become of their deps.
--
-- Returns {'ok' | 'unknown' | 'newer', more, released...}; more > 0: call it again.

local obstacle = open_workflow()
if obstacle == 'newer' then
  return { obstacle, 0 }
end
if obstacle then
  redis.call('ZREM', SPREADING, ID)
  return { obstacle, 0 }
end
local more = spread(true)
commit()
return { 'ok', more, send_released() }
