-- Changes of state -----------------------------------------------------------------------

local function change(step, rec, queue, state)
  unindex(step, rec, queue)
  local from, to = STATE_NAMES[rec.state], STATE_NAMES[state]
  counts[from] = (counts[from] or 0) - 1
  counts[to] = (counts[to] or 0) + 1
  rec.state = state
end

local function settle(step, rec, head, state, reason, more)
  change(step, rec, head.queue, state)
  rec.finished, rec.reason, rec.holder = NOW, reason, ''
  opened = opened - 1
  if state == S.discarded then
    local names = redis.call('HGET', WORKFLOW, 'failed') or ''
    local _, separators = string.gsub(names, SEP, '')
    if separators < MOST_FAILED_NAMES then
      redis.call('HSET', WORKFLOW, 'failed', names .. step .. SEP)
    end
  end
  more[#more + 1], more[#more + 2] = 'reason', reason
  emit(STATE_NAMES[state], step, head.actor, head.queue, rec.attempt, more)
  save(step, rec)
  if head.lists > 0 and not meta.called_off then -- else its dependents are called off like itself
    work[#work + 1] = { step, 0, 0 }
  end
end

-- The workflow is cancelled, and with it this step. If it is being executed, nothing counts that comes of that.
local function call_off(step, rec, head)
  if rec.state == S.executing then
    rec.void = rec.token
    rec.flags = with_flag(rec.flags, INTERRUPT, redis.call('HGET', WORKFLOW, 'interrupt') == '1')
  end
  rec.run = meta.run
  settle(step, rec, head, S.cancelled, meta.called_off, {})
end

-- again: whether its message may be in its queue already.
local function release(step, rec, head, again)
  released[#released + 1] = { step, head, rec, again }
end

-- A worker died while it ran the step. Returns whether that was once too often.
local function bury(step, rec, head, max_rescues)
  rec.deaths = rec.deaths + 1
  if rec.deaths < max_rescues then
    return false
  end
  settle(step, rec, head, S.discarded,
    'its worker died ' .. rec.deaths .. ' times while running it (max_rescues)', {})
  return true
end
