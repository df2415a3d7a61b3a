-- The gate ---------------------------------------------------------------------------------
--
-- May this message's actor run? In the order of the contract.
--
-- seq       the number that the message carries
-- wanted    names of the deps whose results the actor's arguments need
-- by        who asks: {holder, delay, max_rescues, worker, before}, where
--   holder    names this delivery, so that asking twice is harmless
--   delay     how long it waits if it has to, ms
--   worker    for events
--   before    deliveries that got no answer and put the message back, separated by SEP
--
-- Returns one of
--   {'unknown'} {'newer'} {'no-step'}      nothing that can be worked on
--   {'cached', result, more, released...}  has a result already; more > 0: spread again
--   {'settled', state}                     nothing to do any more
--   {'outdated'}                           a later message of the step is on its way
--   {'leased', holder}                     a duplicate: somebody else runs it
--   {'discarded', more, released...}       its workers died too often
--   {'cancelled', more, released...}       the result of one of its deps is gone, or the workflow's budget is spent
--   {'snoozed', seq, delay}                its deps haven't all settled, or its provider's limit keeps it waiting
--   {'callback', token, attempt, name, cause, reason}  cancelled; its callback is to be run
--   {'run', token, attempt, name, wait, results...}  wait: ms until its turn; results as in results.lua

-- Gives the lease to whoever asks; the token grows unless it is the same delivery asking again. What is written first
-- is refused by a server out of memory; behind a write that isn't, a script may write on, and the actor would run.
local function take_lease(step, rec, head, holder)
  local lost = rec.holder ~= holder and rec.holder ~= '' and lease(step, rec)
  if rec.holder ~= holder then
    rec.token, rec.holder = rec.token + 1, holder
  end
  redis.call('ZADD', LEASES, NOW + LEASE_TTL, lease(step, rec))
  if lost then
    redis.call('ZREM', LEASES, lost)
  end
  local queued_at = unindex_queued(step, head.queue)
  if queued_at then
    redis.call('HSET', PROGRESS, head.queue, math.min(queued_at, NOW), head.queue .. SEP .. 'at', NOW)
  end
end

-- Returns the results, or nil and the name of the dep whose result is gone.
local function results_of(wanted)
  local results = {}
  if #wanted > 0 then
    for i, value in ipairs(redis.call('HMGET', RESULTS, unpack(wanted))) do
      if value then
        results[i] = { 'value', value }
      else
        local dep = load(wanted[i])
        if dep and dep.state == S.completed then
          return nil, wanted[i]
        end
        results[i] = { 'none' }
      end
    end
  end
  return results
end

-- Has the step's message come again; it takes neither an attempt nor a retry.
local function snooze(step, rec, head, delay, reason)
  change(step, rec, head.queue, S.snoozed)
  rec.seq = rec.seq + 1
  redis.call('ZADD', WAITING, NOW + delay + LEASE_TTL, member(step))
  emit('snoozed', step, head.actor, head.queue, rec.attempt, { 'delay', delay, 'reason', reason })
  save(step, rec)
  commit()
  return { 'snoozed', rec.seq, delay }
end

local MOST_RESULTS_AT_ONCE = 64 -- that come along with the gate's answer; see RESULTS_WITH_CLAIM in gate.py

local function gate(step, seq, wanted, by)
  local head, rec, obstacle = open_step(step)
  if obstacle then
    return { obstacle }
  end

  local result = redis.call('HGET', RESULTS, step)
  if result then
    emit('completed', step, head.actor, head.queue, rec.attempt, { 'cached', 1, 'worker', by.worker })
    local more = 0
    if not settled(rec) then -- only a crash of Redis itself could part the two
      settle(step, rec, head, S.completed, '', {})
      more = spread(false)
      commit()
    elseif meta.state == 'executing' then
      release_again(step)
      more = redis.call('LLEN', SPREADS)
    end
    return { 'cached', result, more, send_released() }
  end

  if settled(rec) and rec.callback == 0 then
    return { 'settled', STATE_NAMES[rec.state] }
  end
  if seq < rec.seq then
    return { 'outdated' }
  end

  -- What such a delivery asked may have arrived after all, when it didn't wait any more. Its lease goes to this
  -- one: nobody died. To one only, should the message be delivered twice.
  local asked_before = rec.holder == by.holder
    or rec.holder ~= '' and string.find(SEP .. by.before .. SEP, SEP .. rec.holder .. SEP, 1, true) ~= nil
  if rec.state == S.executing or rec.callback == 1 then
    local live = lease_is_live(step, rec)
    if live and not asked_before then
      return { 'leased', rec.holder }
    end
    if rec.callback == 1 then
      take_lease(step, rec, head, by.holder)
      save(step, rec)
      commit()
      return { 'callback', rec.token, rec.attempt, meta.name, rec.cause, rec.reason }
    end
    if not live and not asked_before and bury(step, rec, head, by.max_rescues) then
      local more = spread(false)
      commit()
      return { 'discarded', more, send_released() }
    end
  end

  if rec.waiting > 0 then
    return snooze(step, rec, head, by.delay, 'waits for its deps')
  end

  local spent = over_budget(head)
  if spent then
    settle(step, rec, head, S.cancelled, spent, {})
    local more = spread(false)
    commit()
    return { 'cancelled', more, send_released() }
  end

  local results, gone = results_of(wanted)
  if not results then
    rec.cause = 1
    cancel(step, rec, head, ON_DEP_CANCELLED, "the result of dep '" .. gone .. "' is gone")
    local more = spread(false)
    commit()
    return { 'cancelled', more, send_released() }
  end

  local again, turn, delay = rec.state == S.executing and asked_before, NOW, 0
  if head.lane ~= '' and not again then
    turn, delay = take_turn(head.lane, rec)
    if not turn then
      rec.reason = "waits for its turn: the provider's limit"
      return snooze(step, rec, head, delay, rec.reason)
    end
  end

  take_lease(step, rec, head, by.holder)
  if not again then
    if rec.state ~= S.executing then
      change(step, rec, head.queue, S.executing)
    end
    rec.attempt, rec.started = rec.attempt + 1, turn
    emit('executing', step, head.actor, head.queue, rec.attempt, { 'worker', by.worker })
  end
  save(step, rec)
  commit()
  return { 'run', rec.token, rec.attempt, meta.name, math.max(0, rec.started - NOW), unpack(results) }
end
