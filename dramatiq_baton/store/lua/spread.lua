-- Goes on with what is to be done about many steps: tells the next portion of dependents what has become of their deps,
-- cancels or resets the next portion of steps.
--
-- ARGV[5] 'cancel' or 'reset': only as long as that is going on; '': whatever there is to do
--
-- Returns {'ok' | 'unknown' | 'newer', more, released...}; more > 0: call it again. While steps are cancelled or
-- reset, none is released.

local obstacle = open_workflow()
if obstacle == 'newer' then
  return { obstacle, 0 }
end
if obstacle then
  redis.call('ZREM', SPREADING, ID)
  return { obstacle, 0 }
end
if ARGV[5] ~= '' and ARGV[5] ~= meta.walk then
  return { 'ok', 0 }
end
local more = go_on()
commit()
return { 'ok', more, send_released() }
