-- Starts a workflow: all of it or nothing.
--
-- A large graph has been staged, in portions, under keys that expire by themselves; what is
-- staged is moved into place here, what is small comes along as arguments.
--
-- ARGV[5] digest of the graph      ARGV[6] name            ARGV[7] dispatch
-- ARGV[8] number of steps          ARGV[9] retention, ms   ARGV[10] number of lists of roots
-- ARGV[11] nonce of the staging, or '' if all of the graph is in the arguments
-- ARGV[12] how long it waits before it starts, ms
-- ARGV[13] its budget, in trillionths of a dollar; '' if it has none
-- ARGV[14] version of the layout that its data has
-- ARGV[15] number of field-value arguments for :steps that follow; those for :edges come last
--
-- Returns {'created', more, released...}, {'exists' | 'differs' | 'newer' | 'expired'}, or {'foreign', key}
-- if that key holds something else.

local nonce = ARGV[11]
local staged = WORKFLOW .. ':staged:' .. nonce

local version, digest = unpack(redis.call('HMGET', WORKFLOW, 'v', 'digest'))
if version then
  redis.call('UNLINK', staged .. ':steps', staged .. ':edges')
  if not is_readable(version) then
    return { 'newer' }
  end
  return { digest == ARGV[5] and 'exists' or 'differs' }
end

-- An error in the middle of a script doesn't undo what it did before. So nothing may be in the way.
local own = own_keys()
if redis.call('EXISTS', unpack(own)) > 0 then
  redis.call('UNLINK', staged .. ':steps', staged .. ':edges')
  for _, key in ipairs(own) do
    if redis.call('EXISTS', key) == 1 then
      return { 'foreign', key }
    end
  end
end
local shared = {
  { LEASES, 'zset' }, { WAITING, 'zset' }, { SPREADING, 'zset' }, { QUEUES, 'set' }, { PROGRESS, 'hash' },
  { ALL_EVENTS, 'stream' }, { EXPIRING, 'zset' }, { WORKFLOWS .. 'executing', 'zset' },
  { WORKFLOWS .. 'completed', 'zset' }, { WORKFLOWS .. 'failed', 'zset' }, { WORKFLOWS .. 'cancelled', 'zset' },
}
for _, pair in ipairs(shared) do
  local found = redis.call('TYPE', pair[1]).ok
  if found ~= 'none' and found ~= pair[2] then
    redis.call('UNLINK', staged .. ':steps', staged .. ':edges')
    return { 'foreign', pair[1] }
  end
end

if nonce ~= '' then
  if redis.call('HLEN', staged .. ':steps') ~= tonumber(ARGV[8]) then
    return { 'expired' }
  end
  redis.call('RENAME', staged .. ':steps', STEPS)
  redis.call('PERSIST', STEPS)
  redis.call('RENAME', staged .. ':edges', EDGES)
  redis.call('PERSIST', EDGES)
else
  local split = 15 + tonumber(ARGV[15])
  redis.call('HSET', STEPS, unpack(ARGV, 16, split))
  redis.call('HSET', EDGES, unpack(ARGV, split + 1, #ARGV))
end

local delay = tonumber(ARGV[12])
meta = { state = 'executing', name = ARGV[6], dispatch = ARGV[7], created = NOW, run = 1 }
redis.call('HSET', WORKFLOW,
  'v', ARGV[14], 'name', meta.name, 'digest', ARGV[5], 'dispatch', meta.dispatch, 'state', meta.state,
  'total', ARGV[8], 'open', ARGV[8], 'n:pending', ARGV[8],
  'retention', ARGV[9], 'root_lists', ARGV[10], 'created', NOW, 'run', meta.run, 'started', NOW)
if ARGV[13] ~= '' then
  redis.call('HSET', WORKFLOW, 'budget', ARGV[13])
end
file_as_running()
emit('workflow_started', '', '', '', 0, { 'delay', delay > 0 and delay or '' })
local more = 0
if delay > 0 then -- the rescue starts it
  redis.call('RPUSH', SPREADS, cmsgpack.pack({ START, 0, 0 }))
  redis.call('ZADD', SPREADING, NOW + delay, ID)
else
  work[1] = { START, 0, 0 }
  more = spread(false)
end
commit()
return { 'created', more, send_released() }
