-- The end ----------------------------------------------------------------------------------

local function expire_keys()
  local retention = redis.call('HGET', WORKFLOW, 'retention')
  for _, key in ipairs(own_keys()) do
    redis.call('PEXPIRE', key, retention)
  end
  redis.call('DEL', SPREADS)
  redis.call('ZREM', SPREADING, ID)
  file_away(retention)
end

local function finish()
  local found = redis.call('HMGET', WORKFLOW, 'n:discarded', 'n:cancelled', 'failed', 'started',
    'calls', 'input_tokens', 'output_tokens', 'unpriced')
  local outcome = 'completed'
  if meta.called_off then
    outcome = 'cancelled'
  elseif tonumber(found[1] or 0) > 0 then
    outcome = 'failed'
  elseif tonumber(found[2] or 0) > 0 then
    outcome = 'cancelled'
  end
  meta.state = outcome
  redis.call('HSET', WORKFLOW, 'state', outcome, 'finished', NOW)
  redis.call('HDEL', WORKFLOW, 'walk', 'cursor')
  local names = {}
  for name in string.gmatch(found[3] or '', '[^' .. SEP .. ']+') do
    names[#names + 1] = name
  end
  emit('workflow_finished', '', '', '', 0, {
    'outcome', outcome, 'duration', NOW - tonumber(found[4] or meta.created),
    'failed_steps', #names > 0 and cjson.encode(names) or '',
    'calls', found[5] or '', 'input_tokens', found[6] or '', 'output_tokens', found[7] or '', 'unpriced', found[8] or '',
  })
  redis.call('XADD', ENDS, '*', 'outcome', outcome)
  expire_keys()
end

-- Writes what has changed, and ends the workflow if nothing is open any more.
local function commit()
  save_all()
  index_all_queued()
  for state, difference in pairs(counts) do
    if difference ~= 0 then
      redis.call('HINCRBY', WORKFLOW, 'n:' .. state, difference)
    end
  end
  local difference = opened
  counts, opened = {}, 0
  if difference ~= 0 and redis.call('HINCRBY', WORKFLOW, 'open', difference) == 0 then
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
      release(name, dependent, header(name), true)
    end
  end
end
