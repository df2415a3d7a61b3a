-- What the rescue has to look at now. Everything comes from an index by time, so what is fine
-- costs nothing. Only one process at a time gets an answer, until it hasn't asked for a while.
--
-- KEYS[1] <namespace>:index    see shared/keys.lua for what lies under it
-- ARGV[1] who asks   ARGV[2] how long nobody else gets an answer, ms   ARGV[3] lease_ttl, ms
-- ARGV[4] most entries of each kind
--
-- Returns {} if somebody else was here, else
-- {expired leases, overdue waiting steps, lost queued steps, each behind its queue,
--  workflows with untold dependents, ms until the next entry of any kind is due or -1}.

local INDEX, LEASE_TTL, MOST, SEP = KEYS[1], tonumber(ARGV[3]), ARGV[4], '\31'
local holder = redis.call('GET', INDEX .. ':rescue')
if holder and holder ~= ARGV[1] then
  return {}
end
redis.call('SET', INDEX .. ':rescue', ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function due(index, until_)
  return redis.call('ZRANGEBYSCORE', INDEX .. index, '-inf', until_, 'LIMIT', 0, MOST)
end

-- A queued step is taken for lost once it is older than a lease and either a later one of its
-- queue has been claimed (queues are first in, first out), or nobody has claimed anything there
-- for as long. A backlog that moves is neither.
local lost = {}
for _, queue in ipairs(redis.call('SMEMBERS', INDEX .. ':queues')) do
  local progress = redis.call('HMGET', INDEX .. ':progress', queue, queue .. SEP .. 'at')
  local doubtful = NOW - LEASE_TTL
  local claimed, at = tonumber(progress[1] or 0), tonumber(progress[2] or 0)
  if at > doubtful then
    doubtful = math.min(doubtful, claimed - 1)
  end
  for _, member in ipairs(due(':queued:' .. queue, doubtful)) do
    lost[#lost + 1] = queue .. SEP .. member
  end
end

-- The next delay that is over, of a step or a workflow.
local soonest = -1
for _, index in ipairs({ ':waiting', ':spreading' }) do
  local next_ = redis.call('ZRANGEBYSCORE', INDEX .. index, '(' .. NOW, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if next_[2] and (soonest == -1 or tonumber(next_[2]) - NOW < soonest) then
    soonest = math.ceil(tonumber(next_[2]) - NOW)
  end
end

-- Workflows whose data went by itself when their retention was over are forgotten.
local gone = redis.call('ZRANGEBYSCORE', INDEX .. ':expiring', '-inf', NOW, 'LIMIT', 0, 500)
if #gone > 0 then
  redis.call('ZREM', INDEX .. ':expiring', unpack(gone))
  for _, state in ipairs({ 'completed', 'failed', 'cancelled' }) do
    redis.call('ZREM', INDEX .. ':workflows:' .. state, unpack(gone))
  end
end
return { due(':leases', NOW), due(':waiting', NOW), lost, due(':spreading', NOW), soonest }
