-- Telling dependents -----------------------------------------------------------------------

local function cancel(step, rec, head, callback_flag, reason)
  if has_flag(rec.flags, callback_flag) then
    rec.callback, rec.resent = 1, rec.resent + 1 -- its message is another one than that of the step
    opened = opened + 1
    redis.call('HINCRBY', WORKFLOW, 'callbacks', 1)
  end
  settle(step, rec, head, S.cancelled, reason, {})
  if rec.callback == 1 then
    -- Its own worker runs the callback: only there is the actor's code known to exist.
    index_queued(step, head.queue, NOW)
    release(step, rec, head)
  end
end

local function finish_callback(step, rec, head)
  redis.call('ZREM', LEASES, lease(step, rec))
  unindex_queued(step, head.queue)
  rec.callback, rec.holder = 0, ''
  opened = opened - 1
  redis.call('HINCRBY', WORKFLOW, 'callbacks', -1)
  save(step, rec)
end

local function cancel_because_of(dep, dep_rec, step, rec, head)
  local reason = dep_rec.reason
  if dep_rec.cause == 0 then -- else the reason already names the step where it began
    reason = "dep '" .. dep .. "' was " .. STATE_NAMES[dep_rec.state]
    if dep_rec.reason ~= '' then
      reason = reason .. ': ' .. dep_rec.reason
    end
  end
  if rec.spare then -- the steps downstream are told so too, so it names this one
    reason = ("'%s' has a quorum of %d, and %d of its %d deps complete at best: %s"):format(
      step, head.quorum, head.quorum - 1, head.deps, reason)
  end
  local by_discard = dep_rec.state == S.discarded
  rec.cause = by_discard and 2 or 1
  cancel(step, rec, head, by_discard and ON_DEP_DISCARDED or ON_DEP_CANCELLED, reason)
end

-- Its deps have settled: it goes to its queue. If it has a delay and never ran, it waits for that first, in an index:
-- no message is on its way.
local function make_ready(step, rec, head)
  if head.delay > 0 and rec.attempt == 0 then
    change(step, rec, head.queue, S.snoozed)
    rec.seq, rec.holder, rec.reason = rec.seq + 1, 'delayed', 'delayed' -- an eager step's message is outdated
    redis.call('ZADD', WAITING, NOW + head.delay, member(step))
    emit('snoozed', step, head.actor, head.queue, 0, { 'delay', head.delay, 'reason', rec.reason })
  elseif rec.state == S.pending then
    change(step, rec, head.queue, S.queued)
    index_queued(step, head.queue, NOW)
    -- An eager step's message is on its way already. If no gate has seen it for as long as a lease, it may
    -- have gone down with a worker; were only the rescue to send it again, each step of a chain would wait for it.
    if meta.dispatch ~= 'eager' or NOW - meta.created > LEASE_TTL then
      release(step, rec, head)
    end
  end
  save(step, rec)
end

-- Whether a step can do without a dep that failed. Has it a quorum, that alone says so: enough others must be left.
local function can_spare(rec, dep_rec)
  if rec.spare then
    rec.spare = rec.spare - 1
    return rec.spare >= 0
  end
  return has_flag(rec.flags, dep_rec.state == S.discarded and IGNORE_DISCARDED or IGNORE_CANCELLED)
end

local function tell(step, dep, dep_rec)
  local rec, head = load(step)
  if not rec or settled(rec) then
    return
  end
  if dep_rec.state ~= S.completed and not can_spare(rec, dep_rec) then
    return cancel_because_of(dep, dep_rec, step, rec, head or header(step))
  end
  rec.waiting = math.max(0, rec.waiting - 1)
  save(step, rec)
  if rec.waiting == 0 then
    make_ready(step, rec, head or header(step))
  end
end

local START = '' -- stands for the start of the workflow; its dependents are the roots

local function dependents(step, list)
  if list == 0 and step ~= START then
    return header(step).first
  end
  local packed = redis.call('HGET', EDGES, list .. ':' .. step)
  return packed and cmsgpack.unpack(packed) or {}
end

local function list_count(step)
  if step == START then
    return tonumber(redis.call('HGET', WORKFLOW, 'root_lists'))
  end
  return header(step).lists
end

-- Works off `work`, then what earlier scripts left, up to PORTION dependents. Where it
-- stopped is written down in the same script, so each dependent is told exactly once.
local function spread(leftovers_too)
  local budget = meta.walk == 'reset' and 0 or PORTION -- a dependent that is still to be reset would not hear
  while budget > 0 do
    local item = table.remove(work)
    if not item and leftovers_too then
      local packed = redis.call('RPOP', SPREADS)
      item = packed and cmsgpack.unpack(packed)
    end
    if not item then
      break
    end
    local step, list, offset = item[1], item[2], item[3]
    local rec = step == START and { state = S.completed } or load(step)
    local names = dependents(step, list)
    local last = math.min(#names, offset + budget)
    for i = offset + 1, last do
      tell(names[i], step, rec)
    end
    budget = budget - (last - offset) - 1
    if last < #names then
      work[#work + 1] = { step, list, last }
    elseif list + 1 < list_count(step) then
      work[#work + 1] = { step, list + 1, 0 }
    end
  end
  for _, item in ipairs(work) do
    redis.call('RPUSH', SPREADS, cmsgpack.pack(item))
  end
  work = {}
  local more = redis.call('LLEN', SPREADS)
  if more > 0 then
    redis.call('ZADD', SPREADING, NOW + LEASE_TTL, ID)
  elseif leftovers_too and not meta.walk then
    redis.call('ZREM', SPREADING, ID)
  end
  return more
end
