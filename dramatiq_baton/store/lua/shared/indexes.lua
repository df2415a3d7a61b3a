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

-- Has a step put into the index of its queue when the script commits.
local function index_queued(step, queue, at)
  queued[queue] = queued[queue] or {}
  queued[queue][step] = at
end

local function index_all_queued()
  for queue, steps in pairs(queued) do
    local pairs_ = {}
    for step, at in pairs(steps) do
      pairs_[#pairs_ + 1] = at
      pairs_[#pairs_ + 1] = member(step)
    end
    if #pairs_ > 0 then
      redis.call('ZADD', QUEUED .. queue, unpack(pairs_))
      redis.call('SADD', QUEUES, queue)
    end
  end
  queued = {}
end

-- Takes a step out of the index of its queue. Returns since when it stood there, nil if it didn't.
local function unindex_queued(step, queue)
  local just_now = queued[queue] and queued[queue][step]
  if just_now then
    queued[queue][step] = nil
    return just_now
  end
  local at = redis.call('ZSCORE', QUEUED .. queue, member(step))
  if not at then
    return nil
  end
  redis.call('ZREM', QUEUED .. queue, member(step))
  return tonumber(at)
end

-- Takes a step out of the index that it is in because of its state.
local function unindex(step, rec, queue)
  if rec.state == S.executing then
    redis.call('ZREM', LEASES, lease(step, rec))
  elseif rec.state == S.queued then
    unindex_queued(step, queue)
  elseif rec.state == S.snoozed or rec.state == S.retryable then
    redis.call('ZREM', WAITING, member(step))
  end
end
