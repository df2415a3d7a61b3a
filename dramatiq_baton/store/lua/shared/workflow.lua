-- The workflow ---------------------------------------------------------------------------

-- The workflow that the script is about, and what it has found out and changed there.
local ID, WORKFLOW, STEPS, EDGES, STATE, RESULTS, ONCE, USAGE, SPREADS, EVENTS, ENDS
local meta -- {state, name, dispatch, created, run, called_off, walk, spent}
local headers, records -- by step, as far as they were read
local unsaved -- those records that have changed
local queued -- by queue: steps that are to stand in its index, and since when
local counts -- by how much each n:<state> changes
local opened -- by how much open changes
local work -- settled steps whose dependents are to be told: {step, list, offset}
local released -- {step, header, record} of each step whose message is to be sent now

local function turn_to(id)
  ID, WORKFLOW = id, NAMESPACE .. ':workflow:{' .. id .. '}'
  STEPS, EDGES, STATE = WORKFLOW .. ':steps', WORKFLOW .. ':edges', WORKFLOW .. ':state'
  RESULTS, ONCE, USAGE = WORKFLOW .. ':results', WORKFLOW .. ':once', WORKFLOW .. ':usage'
  SPREADS = WORKFLOW .. ':spreads'
  EVENTS, ENDS = WORKFLOW .. ':events', WORKFLOW .. ':ends'
  meta, headers, records, unsaved, queued = nil, {}, {}, {}, {}
  counts, opened, work, released = {}, 0, {}, {}
end

turn_to(ARGV[1])

local function is_readable(version)
  return version == VERSION or version == OLDER
end

-- From now on workers of an earlier release, which would misread the workflow, leave it alone.
local function hide_from_older()
  redis.call('HSET', WORKFLOW, 'v', VERSION)
end

-- Returns nil, or why the workflow can't be worked on: 'unknown' or 'newer'.
local function open_workflow()
  local found = redis.call('HMGET', WORKFLOW,
    'v', 'state', 'name', 'dispatch', 'created', 'run', 'called_off', 'walk', 'spent')
  if not found[1] then
    return 'unknown'
  end
  if not is_readable(found[1]) then
    return 'newer'
  end
  meta = {
    state = found[2], name = found[3], dispatch = found[4], created = tonumber(found[5]),
    run = tonumber(found[6] or 1), -- 0.1.0 knew of one run only
    called_off = found[7], walk = found[8], spent = found[9], -- false if there is none
  }
  return nil
end
