-- An execution ended, and the step is to run again: after a failure, a snooze or a shutdown.
--
-- ARGV[4] step   ARGV[5] token   ARGV[6] retryable | snoozed | queued   ARGV[7] delay, ms
-- ARGV[8] Dramatiq's retry count for the next message
-- ARGV[9] reason   ARGV[10] error   ARGV[11] worker
--
-- Returns {'unknown' | 'newer' | 'no-step' | 'lost'} or {'ok', seq for the next message}.

local step, token, state, delay = ARGV[4], tonumber(ARGV[5]), S[ARGV[6]], tonumber(ARGV[7])

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
local head = header(step)
if not head then
  return { 'no-step' }
end
local rec = load(step, head)
if rec.token ~= token or settled(rec) then
  return { 'lost' }
end
if rec.state ~= S.executing then
  if rec.state == state and rec.holder == 'deferred' then -- the reply to the first call was lost
    return { 'ok', rec.seq }
  end
  return { 'lost' }
end

change(step, rec, head.queue, state)
rec.seq, rec.retries, rec.resent, rec.holder = rec.seq + 1, tonumber(ARGV[8]), 0, 'deferred'
rec.reason = ARGV[9] ~= '' and ARGV[9] or ARGV[10]
if state == S.queued then
  index_queued(step, head.queue, NOW)
else
  redis.call('ZADD', WAITING, NOW + delay + LEASE_TTL, member(step))
end
-- A step that is handed back has no event of its own in the contract: it is told as a snooze of 0.
emit(state == S.queued and 'snoozed' or ARGV[6], step, head.actor, head.queue, rec.attempt, {
  'delay', delay, 'duration', NOW - rec.started, 'reason', ARGV[9], 'error', ARGV[10], 'worker', ARGV[11],
})
save(step, rec)
commit()
return { 'ok', rec.seq }
