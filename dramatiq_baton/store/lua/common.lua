-- Shared by every script; the loader puts it in front of each of them.
--
-- KEYS[1]  <namespace>:workflow:{<id>}     a hash, the workflow itself:
--            v            version of this layout, 1
--            name, digest, dispatch, total, created, finished, retention
--            state        executing | completed | failed | cancelled
--            open         steps not settled, plus callbacks not run; the workflow ends at 0
--            n:<state>    how many steps are in that state
--            failed       names of discarded steps, the first 50, separated by SEP
--   and, in the same hash slot, all that belongs to the workflow:
--   KEYS[1]:steps    hash   step -> what it was added as (never changes), see header()
--   KEYS[1]:edges    hash   "<n>:<step>" -> the n-th list of names of its dependents
--   KEYS[1]:state    hash   step -> its record, see FIELDS; no entry yet means untouched
--   KEYS[1]:results  hash   step -> stored result
--   KEYS[1]:spreads  list   settled steps whose dependents have not all been told yet
--   KEYS[1]:events   stream the workflow's whole story
--   KEYS[1]:ends     stream one entry for each time it finished; whoever waits blocks on it
-- KEYS[2]  <namespace>:index               a prefix; what the rescue looks at, by time:
--   KEYS[2]:leases          sorted set  step and token -> when the lease runs out
--   KEYS[2]:waiting         sorted set  snoozed or retryable step -> when it is overdue
--   KEYS[2]:queued:<queue>  sorted set  step sent to that queue -> when
--   KEYS[2]:queues          set         the queues that have such a sorted set
--   KEYS[2]:progress        hash        queue -> when the step claimed last was queued;
--                                       "<queue>" SEP "at" -> when that claim was
--   KEYS[2]:spreading       sorted set  workflow with a non-empty :spreads -> when overdue
-- KEYS[3]  <namespace>:workflow:all:events  stream of all workflows, capped
--
-- ARGV[1]  the workflow's id
-- ARGV[2]  the cap of KEYS[3]
-- ARGV[3]  lease_ttl in ms; also how long the rescue waits before it doubts a delivery

local WORKFLOW, INDEX, ALL_EVENTS = KEYS[1], KEYS[2], KEYS[3]
local STEPS, EDGES, STATE = WORKFLOW .. ':steps', WORKFLOW .. ':edges', WORKFLOW .. ':state'
local RESULTS, SPREADS = WORKFLOW .. ':results', WORKFLOW .. ':spreads'
local EVENTS, ENDS = WORKFLOW .. ':events', WORKFLOW .. ':ends'
local LEASES, WAITING, QUEUED = INDEX .. ':leases', INDEX .. ':waiting', INDEX .. ':queued:'
local QUEUES, PROGRESS, SPREADING = INDEX .. ':queues', INDEX .. ':progress', INDEX .. ':spreading'

local ID, ALL_EVENTS_CAP, LEASE_TTL = ARGV[1], ARGV[2], tonumber(ARGV[3])

local VERSION = '1'
local SEP = '\31' -- in no id and no name: control characters are refused there
local PORTION = 100 -- dependents told per script, so that no script takes long
local MOST_FAILED_NAMES = 50

local S = {
  pending = 0, queued = 1, executing = 2, snoozed = 3, retryable = 4,
  completed = 5, discarded = 6, cancelled = 7,
}
local STATE_NAMES = {
  [0] = 'pending', 'queued', 'executing', 'snoozed', 'retryable', 'completed', 'discarded', 'cancelled',
}
-- Bits of a step's flags, set when it is added.
local IGNORE_CANCELLED, IGNORE_DISCARDED, ON_DEP_CANCELLED, ON_DEP_DISCARDED = 1, 2, 4, 8

local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function has_flag(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

-- The workflow ---------------------------------------------------------------------------

local meta = nil -- {state, name, dispatch, created}

-- Returns nil, or why the workflow can't be worked on: 'unknown' or 'newer'.
local function open_workflow()
  local found = redis.call('HMGET', WORKFLOW, 'v', 'state', 'name', 'dispatch', 'created')
  if not found[1] then
    return 'unknown'
  end
  if found[1] ~= VERSION then
    return 'newer'
  end
  meta = { state = found[2], name = found[3], dispatch = found[4], created = tonumber(found[5]) }
  return nil
end

-- Events ---------------------------------------------------------------------------------

local function emit(event, step, actor, queue, attempt, more)
  local entry = {
    'event', event, 'workflow_id', ID, 'workflow_name', meta.name,
    'step', step, 'actor', actor, 'queue', queue, 'attempt', attempt, 'ts', NOW,
  }
  for i = 1, #more, 2 do
    if more[i + 1] ~= '' then
      entry[#entry + 1] = more[i]
      entry[#entry + 1] = more[i + 1]
    end
  end
  redis.call('XADD', EVENTS, '*', unpack(entry))
  redis.call('XADD', ALL_EVENTS, 'MAXLEN', '~', ALL_EVENTS_CAP, '*', unpack(entry))
end

-- Steps ----------------------------------------------------------------------------------

-- What a step was added as. The stored string goes on behind this header with what only
-- Python reads; unpack_one reads no further than it must.
local function header(step)
  local spec = redis.call('HGET', STEPS, step)
  if not spec then
    return nil
  end
  local _, h = cmsgpack.unpack_one(spec)
  return {
    actor = h[1], queue = h[2], deps = h[3], flags = h[4],
    lists = h[5], -- how many lists of dependents it has; the first one is
    first = h[6],
    spec = spec,
  }
end

-- A step's record as it is stored, field by field.
local FIELDS = {
  'state',
  'waiting', -- deps that haven't settled
  'attempt', -- executions so far
  'token', -- claims so far; the latest claim's number is the lease's token
  'holder', -- who claimed it, and for which delivery
  'deaths', -- workers that died while they ran it
  'seq', -- the number of the latest sending; messages of earlier ones are outdated
  'retries', -- Dramatiq's retry count that its next message must carry
  'started', 'finished', -- ms since 1970, 0 if not yet
  'reason',
  'cause', -- 1 or 2: cancelled because a dep was cancelled or discarded
  'callback', -- 1: its callback for that hasn't been run yet
  'resent', -- times the rescue has sent its message again since seq changed
  'flags',
}

-- Returns the record, and the header if it had to be read: a spec may be long (it names all deps),
-- so a step that is told of each of 10,000 deps must not read its spec each time.
local function load(step, head)
  local stored = redis.call('HGET', STATE, step)
  local rec = {}
  if stored then
    local values = cmsgpack.unpack(stored)
    for i, field in ipairs(FIELDS) do
      rec[field] = values[i]
    end
    return rec, head
  end
  head = head or header(step)
  if not head then
    return nil
  end
  for _, field in ipairs(FIELDS) do
    rec[field] = 0
  end
  rec.holder, rec.reason, rec.waiting, rec.flags = '', '', head.deps, head.flags
  return rec, head
end

local function save(step, rec)
  local values = {}
  for i, field in ipairs(FIELDS) do
    values[i] = rec[field]
  end
  redis.call('HSET', STATE, step, cmsgpack.pack(values))
end

local function settled(rec)
  return rec.state >= S.completed
end

-- Indexes --------------------------------------------------------------------------------

local function member(step)
  return ID .. SEP .. step
end

local function lease(step, rec)
  return ID .. SEP .. step .. SEP .. rec.token
end

local function lease_is_live(step, rec)
  local expiry = redis.call('ZSCORE', LEASES, lease(step, rec))
  return expiry and tonumber(expiry) > NOW
end

local function index_queued(step, queue, at)
  redis.call('ZADD', QUEUED .. queue, at, member(step))
  redis.call('SADD', QUEUES, queue)
end

-- Takes a step out of the index that it is in because of its state.
local function unindex(step, rec, queue)
  if rec.state == S.executing then
    redis.call('ZREM', LEASES, lease(step, rec))
  elseif rec.state == S.queued then
    redis.call('ZREM', QUEUED .. queue, member(step))
  elseif rec.state == S.snoozed or rec.state == S.retryable then
    redis.call('ZREM', WAITING, member(step))
  end
end

-- Changes of state -----------------------------------------------------------------------

local counts = {} -- by how much each n:<state> changes
local opened = 0 -- by how much open changes

local function change(step, rec, queue, state)
  unindex(step, rec, queue)
  local from, to = STATE_NAMES[rec.state], STATE_NAMES[state]
  counts[from] = (counts[from] or 0) - 1
  counts[to] = (counts[to] or 0) + 1
  rec.state = state
end

local work = {} -- settled steps whose dependents are to be told: {step, list, offset}

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
  if head.lists > 0 then
    work[#work + 1] = { step, 0, 0 }
  end
end

local released = {} -- step, spec, retries, seq of each step whose message is to be sent now

local function release(step, rec, head)
  released[#released + 1] = step
  released[#released + 1] = head.spec
  released[#released + 1] = tostring(rec.retries)
  released[#released + 1] = tostring(rec.seq)
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

-- Telling dependents -----------------------------------------------------------------------

local function cancel(step, rec, head, callback_flag, reason)
  if has_flag(rec.flags, callback_flag) then
    rec.callback = 1
    opened = opened + 1
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
  redis.call('ZREM', QUEUED .. head.queue, member(step))
  rec.callback, rec.holder = 0, ''
  opened = opened - 1
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
  local by_discard = dep_rec.state == S.discarded
  rec.cause = by_discard and 2 or 1
  cancel(step, rec, head, by_discard and ON_DEP_DISCARDED or ON_DEP_CANCELLED, reason)
end

local function tell(step, dep, dep_rec)
  local rec, head = load(step)
  if not rec or settled(rec) then
    return
  end
  local ignore = dep_rec.state == S.discarded and IGNORE_DISCARDED or IGNORE_CANCELLED
  if dep_rec.state ~= S.completed and not has_flag(rec.flags, ignore) then
    return cancel_because_of(dep, dep_rec, step, rec, head or header(step))
  end
  rec.waiting = math.max(0, rec.waiting - 1)
  if rec.waiting == 0 and rec.state == S.pending then
    head = head or header(step)
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
  local budget = PORTION
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
  local more = redis.call('LLEN', SPREADS)
  if more > 0 then
    redis.call('ZADD', SPREADING, NOW + LEASE_TTL, ID)
  elseif leftovers_too then
    redis.call('ZREM', SPREADING, ID)
  end
  return more
end

-- The end ----------------------------------------------------------------------------------

local function expire_keys()
  local retention = redis.call('HGET', WORKFLOW, 'retention')
  for _, key in ipairs({ WORKFLOW, STEPS, EDGES, STATE, RESULTS, EVENTS, ENDS }) do
    redis.call('PEXPIRE', key, retention)
  end
  redis.call('DEL', SPREADS)
  redis.call('ZREM', SPREADING, ID)
end

local function finish()
  local found = redis.call('HMGET', WORKFLOW, 'n:discarded', 'n:cancelled', 'failed', 'created')
  local outcome = 'completed'
  if tonumber(found[1] or 0) > 0 then
    outcome = 'failed'
  elseif tonumber(found[2] or 0) > 0 then
    outcome = 'cancelled'
  end
  meta.state = outcome
  redis.call('HSET', WORKFLOW, 'state', outcome, 'finished', NOW)
  local names = {}
  for name in string.gmatch(found[3] or '', '[^' .. SEP .. ']+') do
    names[#names + 1] = name
  end
  emit('workflow_finished', '', '', '', 0, {
    'outcome', outcome, 'duration', NOW - tonumber(found[4]),
    'failed_steps', #names > 0 and cjson.encode(names) or '',
  })
  redis.call('XADD', ENDS, '*', 'outcome', outcome)
  expire_keys()
end

-- Writes the counts that changed, and ends the workflow if nothing is open any more.
local function commit()
  for state, difference in pairs(counts) do
    if difference ~= 0 then
      redis.call('HINCRBY', WORKFLOW, 'n:' .. state, difference)
    end
  end
  if opened ~= 0 and redis.call('HINCRBY', WORKFLOW, 'open', opened) == 0 then
    finish()
  end
end

-- Dependents of a settled step that were released but perhaps never sent: the worker that
-- released them may have died, or its reply may have been lost. A second message is harmless.
local function release_again(step)
  local head = header(step)
  if not head then
    return
  end
  for _, name in ipairs(head.first) do
    local dependent = load(name)
    if dependent and dependent.state == S.queued and dependent.attempt == 0 then
      release(name, dependent, header(name))
    end
  end
end
