-- A step's message never reached the broker, or is gone from it: send it again. Where it is
-- not gone after all, the gate drops the second one. The pauses between two sendings grow.
-- Or it has not been sent yet, because of a delay that is over now.
--
-- ARGV[5] step   ARGV[6] name of the index where it was found: 'queued' or 'waiting'
-- ARGV[7] queue, if it was found in the index of one; else ''
-- ARGV[8] the longest pause, ms
--
-- Returns {'unknown' | 'newer' | 'stale'} or {'ok', 0, released...}.

local step, found_in, longest = ARGV[5], ARGV[6], tonumber(ARGV[8])

local head, rec, obstacle = open_step(step)
if obstacle == 'newer' then
  return { obstacle } -- for a newer release's rescue
end
local queued = rec and (rec.state == S.queued or rec.callback == 1)
local waiting = rec and (rec.state == S.snoozed or rec.state == S.retryable)
if not (found_in == 'queued' and queued or found_in == 'waiting' and waiting) then
  -- Nothing stands behind the entry: the workflow is gone.
  redis.call('ZREM', found_in == 'waiting' and WAITING or QUEUED .. ARGV[7], member(step))
  return { obstacle or 'stale' }
end
if rec.holder == 'delayed' then
  change(step, rec, head.queue, S.queued)
  rec.holder, rec.reason = '', ''
  index_queued(step, head.queue, NOW)
  release(step, rec, head)
  save(step, rec)
  commit()
  return { 'ok', 0, send_released() }
end
-- The first pause is one lease: whoever sends it now may die as well.
local pause = math.min(longest, LEASE_TTL * 2 ^ rec.resent)
rec.resent = rec.resent + 1
if queued then
  index_queued(step, head.queue, NOW + pause - LEASE_TTL)
else
  redis.call('ZADD', WAITING, NOW + pause, member(step))
end
release(step, rec, head)
save(step, rec)
commit()
return { 'ok', 0, send_released() }
