-- A step's message was refused before its actor could run: its actor is unknown, it is too old,
-- a middleware skipped or failed it.
--
-- ARGV[5] step   ARGV[6] seq of the message   ARGV[7] reason
--
-- Returns {'unknown' | 'newer' | 'no-step'}, {'ignored'} when the message says nothing about
-- the step as it is now (a duplicate, an outdated one), or {'ok', more, released...}.

local step, seq = ARGV[5], tonumber(ARGV[6])

local head, rec, obstacle = open_step(step)
if obstacle then
  return { obstacle }
end
if seq < rec.seq or lease_is_live(step, rec) then
  return { 'ignored' }
end
if rec.callback == 1 then
  finish_callback(step, rec, head) -- nobody here can run it
  commit()
  return { 'ok', 0 }
end
if settled(rec) or rec.waiting > 0 then
  return { 'ignored' }
end
settle(step, rec, head, S.discarded, ARGV[7], {})
local more = spread(false)
commit()
return { 'ok', more, send_released() }
