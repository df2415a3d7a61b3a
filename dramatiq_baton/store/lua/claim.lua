-- The gate: may this message's actor run? In the order of the contract.
--
-- ARGV[4] step             ARGV[5] holder: names this delivery, so that asking twice is harmless
-- ARGV[6] seq of the message                    ARGV[7] delay if it has to wait, ms
-- ARGV[8] max_rescues      ARGV[9] worker, for events
-- ARGV[10] deliveries that got no answer and put the message back, separated by SEP
-- ARGV[11...] names of the deps whose results the actor's arguments need
--
-- Returns one of
--   {'unknown'} {'newer'} {'no-step'}      nothing that can be worked on
--   {'cached', result, more, released...}  has a result already; more > 0: spread again
--   {'settled', state}                     nothing to do any more
--   {'outdated'}                           a later message of the step is on its way
--   {'leased', holder}                     a duplicate: somebody else runs it
--   {'discarded', more, released...}       its workers died too often
--   {'cancelled', more, released...}       the result of one of its deps is gone
--   {'snoozed', seq}                       its deps haven't all settled
--   {'callback', token, attempt, name, cause, reason}  cancelled; its callback is to be run
--   {'run', token, attempt, name, results...}  results as in results.lua

local step, holder, seq, delay = ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local max_rescues, worker, before = tonumber(ARGV[8]), ARGV[9], ARGV[10]

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
local head = header(step)
if not head then
  return { 'no-step' }
end
local rec = load(step, head)

local result = redis.call('HGET', RESULTS, step)
if result then
  emit('completed', step, head.actor, head.queue, rec.attempt, { 'cached', 1, 'worker', worker })
  local more = 0
  if not settled(rec) then -- only a crash of Redis itself could part the two
    settle(step, rec, head, S.completed, '', {})
    more = spread(false)
    commit()
  elseif meta.state == 'executing' then
    release_again(step)
    more = redis.call('LLEN', SPREADS)
  end
  return { 'cached', result, more, unpack(released) }
end

if settled(rec) and rec.callback == 0 then
  return { 'settled', STATE_NAMES[rec.state] }
end
if seq < rec.seq then
  return { 'outdated' }
end

-- Gives the lease to whoever asks; the token grows unless it is the same delivery asking again.
local function take_lease()
  local queued_at = redis.call('ZSCORE', QUEUED .. head.queue, member(step))
  if queued_at then
    redis.call('HSET', PROGRESS,
      head.queue, math.min(tonumber(queued_at), NOW), head.queue .. SEP .. 'at', NOW)
    redis.call('ZREM', QUEUED .. head.queue, member(step))
  end
  if rec.holder ~= holder then
    redis.call('ZREM', LEASES, lease(step, rec))
    rec.token, rec.holder = rec.token + 1, holder
  end
  redis.call('ZADD', LEASES, NOW + LEASE_TTL, lease(step, rec))
end

-- What such a delivery asked may have arrived after all, when it didn't wait any more. Its lease goes to this
-- one: nobody died. To one only, should the message be delivered twice.
local asked_before = rec.holder == holder
  or rec.holder ~= '' and string.find(SEP .. before .. SEP, SEP .. rec.holder .. SEP, 1, true) ~= nil
if rec.state == S.executing or rec.callback == 1 then
  local live = lease_is_live(step, rec)
  if live and not asked_before then
    return { 'leased', rec.holder }
  end
  if rec.callback == 1 then
    take_lease()
    save(step, rec)
    return { 'callback', rec.token, rec.attempt, meta.name, rec.cause, rec.reason }
  end
  if not live and not asked_before and bury(step, rec, head, max_rescues) then
    local more = spread(false)
    commit()
    return { 'discarded', more, unpack(released) }
  end
end

if rec.waiting > 0 then
  change(step, rec, head.queue, S.snoozed)
  rec.seq = rec.seq + 1
  redis.call('ZADD', WAITING, NOW + delay + LEASE_TTL, member(step))
  emit('snoozed', step, head.actor, head.queue, rec.attempt, { 'delay', delay, 'reason', 'waits for its deps' })
  save(step, rec)
  commit()
  return { 'snoozed', rec.seq }
end

local results = {}
if #ARGV >= 11 then
  local values = redis.call('HMGET', RESULTS, unpack(ARGV, 11))
  for i, value in ipairs(values) do
    if value then
      results[i] = { 'value', value }
    else
      local dep = load(ARGV[i + 10])
      if dep and dep.state == S.completed then
        rec.cause = 1
        cancel(step, rec, head, ON_DEP_CANCELLED, "the result of dep '" .. ARGV[i + 10] .. "' is gone")
        local more = spread(false)
        commit()
        return { 'cancelled', more, unpack(released) }
      end
      results[i] = { 'none' }
    end
  end
end

take_lease()
if rec.state ~= S.executing or not asked_before then
  if rec.state ~= S.executing then
    change(step, rec, head.queue, S.executing)
  end
  rec.attempt, rec.started = rec.attempt + 1, NOW
  emit('executing', step, head.actor, head.queue, rec.attempt, { 'worker', worker })
end
save(step, rec)
commit()
return { 'run', rec.token, rec.attempt, meta.name, unpack(results) }
