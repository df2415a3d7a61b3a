-- Filing ---------------------------------------------------------------------------------
--
-- Which workflows there are, for those who look for them: by state, in the order in which they were submitted.

-- All keys that a workflow may have.
local function own_keys()
  return { WORKFLOW, STEPS, EDGES, STATE, RESULTS, ONCE, USAGE, SPREADS, EVENTS, ENDS }
end

local function entry()
  return ID .. SEP .. meta.name
end

-- An index of finished workflows goes by itself when the last of them has gone.
local function keep_for(key, retention)
  if redis.call('PTTL', key) < retention then
    redis.call('PEXPIRE', key, retention)
  end
end

local function file_as_running()
  redis.call('ZADD', WORKFLOWS .. 'executing', meta.created, entry())
end

-- The workflow has just finished.
local function file_away(retention)
  redis.call('ZREM', WORKFLOWS .. 'executing', entry())
  redis.call('ZADD', WORKFLOWS .. meta.state, meta.created, entry())
  redis.call('ZADD', EXPIRING, NOW + retention, entry())
  keep_for(WORKFLOWS .. meta.state, tonumber(retention))
  keep_for(EXPIRING, tonumber(retention))
end

-- A finished workflow is to run again, or its data to go.
local function take_from_file()
  redis.call('ZREM', WORKFLOWS .. meta.state, entry())
  redis.call('ZREM', EXPIRING, entry())
end
