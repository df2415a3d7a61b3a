-- Steps ----------------------------------------------------------------------------------

-- What a step was added as. The stored string goes on behind this header with the body, unless that is long;
-- unpack_one reads no further than it must.
local function header(step)
  local head = headers[step]
  if head then
    return head
  end
  local spec = redis.call('HGET', STEPS, step)
  if not spec then
    return nil
  end
  local offset, h = cmsgpack.unpack_one(spec)
  head = {
    actor = h[1], queue = h[2], deps = h[3], flags = h[4],
    lists = h[5], -- how many lists of dependents it has; the first one is
    first = h[6],
    encoded = h[7] == 1, -- whether its message is JSON, in parts that message() puts together
    -- 0.1.0 wrote none of these three
    delay = h[8] or 0, -- how long it waits once its deps have settled, ms
    lane = h[9] or '', -- what it shares a provider's limits with; '' if it calls none
    quorum = h[10] or 0, -- how many of its deps must complete; 0: its flags alone say which
    spec = spec, body_at = offset, -- -1: there is nothing behind the header, the body is apart
  }
  headers[step] = head
  return head
end

-- The other half of it, packed: what its message is made of.
local function body(step, head)
  if head.body_at == -1 then
    return redis.call('HGET', EDGES, 'body:' .. step)
  end
  return string.sub(head.spec, head.body_at + 1)
end

-- A step's record. It is stored as a list, in this order:
--   state
--   waiting    deps that haven't settled
--   attempt    executions so far
--   token      claims so far; the latest claim's number is the lease's token
--   holder     who claimed it, and for which delivery; or why it waits: deferred, delayed, turn <when it has been promised>
--   deaths     workers that died while they ran it
--   seq        the number of the latest sending; messages of earlier ones are outdated
--   retries    Dramatiq's retry count that its next message must carry
--   started, finished   ms since 1970, 0 if not yet
--   reason
--   cause      1 or 2: cancelled because a dep was cancelled or discarded
--   callback   1: its callback for that hasn't been run yet
--   resent     times its message was sent again since seq changed
--   flags
--   void       executions with a token up to this one were called off: nothing that they say counts
--   run        the workflow's run that it belongs to; in a later one it has either been done with or is to be reset
--   spare      deps that may still fail before its quorum is out of reach; false if it has no quorum
local function unpack_record(stored)
  local v = cmsgpack.unpack(stored)
  return {
    state = v[1], waiting = v[2], attempt = v[3], token = v[4], holder = v[5], deaths = v[6], seq = v[7],
    retries = v[8], started = v[9], finished = v[10], reason = v[11], cause = v[12], callback = v[13],
    resent = v[14], flags = v[15], void = v[16] or 0, run = v[17] or 1, -- 0.1.0 wrote none of these two
    spare = v[18] or false, -- nor this one, of steps that have no quorum
  }
end

local function pack_record(rec)
  return cmsgpack.pack({
    rec.state, rec.waiting, rec.attempt, rec.token, rec.holder, rec.deaths, rec.seq,
    rec.retries, rec.started, rec.finished, rec.reason, rec.cause, rec.callback,
    rec.resent, rec.flags, rec.void, rec.run, rec.spare,
  })
end

-- How many of a step's deps may fail: its record counts down from there.
local function spare_deps(head)
  return head.quorum > 0 and head.deps - head.quorum
end

-- Returns the record, and the header if it had to be read: a step that is told of each of 10,000 deps must not read
-- its header each time.
local function load(step, head)
  local rec = records[step]
  if rec then
    return rec, head
  end
  local stored = redis.call('HGET', STATE, step)
  if stored then
    rec = unpack_record(stored)
  else
    head = head or header(step)
    if not head then
      return nil
    end
    rec = {
      state = S.pending, waiting = head.deps, attempt = 0, token = 0, holder = '', deaths = 0, seq = 0,
      retries = 0, started = 0, finished = 0, reason = '', cause = 0, callback = 0,
      resent = 0, flags = head.flags, void = 0, run = meta.run, spare = spare_deps(head),
    }
  end
  records[step] = rec
  return rec, head
end

-- Has a record written when the script commits.
local function save(step, rec)
  unsaved[step] = rec
end

local function save_all()
  local pairs_ = {}
  for step, rec in pairs(unsaved) do
    pairs_[#pairs_ + 1] = step
    pairs_[#pairs_ + 1] = pack_record(rec)
  end
  if #pairs_ > 0 then
    redis.call('HSET', STATE, unpack(pairs_))
  end
  unsaved = {}
end

local function settled(rec)
  return rec.state >= S.completed
end

-- Whether a step has still to settle in this run of the workflow. After a retry those that failed have, from the
-- moment on at which the retry is asked for.
local function is_open(rec)
  return not settled(rec) or rec.run < meta.run and rec.state ~= S.completed
end
