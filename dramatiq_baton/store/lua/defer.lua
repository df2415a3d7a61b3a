-- An execution ended, and the step is to run again: after a failure, a snooze or a shutdown.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] retryable | snoozed | queued   ARGV[8] delay, ms
-- ARGV[9] Dramatiq's retry count for the next message
-- ARGV[10] reason   ARGV[11] error   ARGV[12] worker
-- ARGV[13] if a provider refused its call: for how long it asks to be left alone, ms, 0 if it doesn't say; else ''
--
-- Returns {'unknown' | 'newer' | 'no-step' | 'lost'} or {'ok', seq for the next message}.

local step, token, state, delay = ARGV[5], tonumber(ARGV[6]), S[ARGV[7]], tonumber(ARGV[8])

local head, rec, obstacle = open_step(step)
if obstacle then
  return { obstacle }
end
if rec.token ~= token or settled(rec) then
  return { 'lost' }
end
if rec.state ~= S.executing then
  if rec.state == state and rec.holder == 'deferred' then -- the reply to the first call was lost
    return { 'ok', rec.seq }
  end
  return { 'lost' }
end

if ARGV[13] ~= '' and head.lane ~= '' then
  slow_down(head.lane, rec.started, tonumber(ARGV[13]))
end
change(step, rec, head.queue, state)
rec.seq, rec.retries, rec.resent, rec.holder = rec.seq + 1, tonumber(ARGV[9]), 0, 'deferred'
rec.reason = ARGV[10] ~= '' and ARGV[10] or ARGV[11]
if state == S.queued then
  index_queued(step, head.queue, NOW)
else
  redis.call('ZADD', WAITING, NOW + delay + LEASE_TTL, member(step))
end
-- A step that is handed back has no event of its own in the contract: it is told as a snooze of 0.
emit(state == S.queued and 'snoozed' or ARGV[7], step, head.actor, head.queue, rec.attempt, {
  'delay', delay, 'duration', math.max(0, NOW - rec.started), 'reason', ARGV[10], 'error', ARGV[11], 'worker', ARGV[12],
})
save(step, rec)
commit()
return { 'ok', rec.seq }
