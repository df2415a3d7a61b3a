-- A lease ran out: its worker died, or lost touch with Redis for longer than lease_ttl.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] max_rescues
--
-- Returns {'unknown' | 'newer' | 'stale' | 'renewed'} or {'queued' | 'discarded', more, released...}.

local step, token, max_rescues = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])

local head, rec, obstacle = open_step(step)
if obstacle == 'newer' then
  return { obstacle } -- for a newer release's rescue
end
if not rec or rec.token ~= token or not (rec.state == S.executing or rec.callback == 1) then
  redis.call('ZREM', LEASES, ID .. SEP .. step .. SEP .. token) -- nothing stands behind it
  return { obstacle or 'stale' }
end
if lease_is_live(step, rec) then
  return { 'renewed' }
end
if rec.callback == 1 then
  redis.call('ZREM', LEASES, lease(step, rec))
  rec.holder, rec.resent = '', rec.resent + 1
  index_queued(step, head.queue, NOW)
  release(step, rec, head)
  save(step, rec)
  commit()
  return { 'queued', 0, send_released() }
end
if bury(step, rec, head, max_rescues) then
  local more = spread(false)
  commit()
  return { 'discarded', more, send_released() }
end
change(step, rec, head.queue, S.queued)
rec.seq, rec.resent, rec.holder = rec.seq + 1, 0, ''
rec.reason = 'its worker died or lost touch'
index_queued(step, head.queue, NOW)
emit('snoozed', step, head.actor, head.queue, rec.attempt, { 'delay', 0, 'reason', rec.reason })
save(step, rec)
commit()
release(step, rec, head)
return { 'queued', 0, send_released() }
