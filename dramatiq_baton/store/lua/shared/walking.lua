-- Walking --------------------------------------------------------------------------------
--
-- Going over all steps of a workflow, however many, in one bounded script after another. How far the walk has come
-- is written down with what it did, so whoever comes next goes on there: who began it, or the rescue. A scan may show
-- a step twice; what is done to it is such that the second time changes nothing.

local visit = {}

-- Cancels what hasn't settled.
function visit.cancel(step, rec)
  if is_open(rec) then
    call_off(step, rec, header(step))
  end
end

-- Of a retry, first: what failed begins again, knowing of none of its deps. Nobody is told of anything and nothing is
-- released until all steps are reset.
function visit.reset(step, rec)
  if not settled(rec) or not is_open(rec) then
    return
  end
  local head = header(step)
  change(step, rec, head.queue, S.pending)
  rec.waiting, rec.deaths, rec.seq, rec.resent, rec.retries = head.deps, 0, rec.seq + 1, 0, 0
  rec.started, rec.finished, rec.reason, rec.cause, rec.run = 0, 0, '', 0, meta.run
  rec.spare = spare_deps(head)
  save(step, rec)
end

-- Of a retry, second: what completed in an earlier run tells its dependents so. What completes in this run does that
-- by itself.
function visit.resume(step, rec)
  local head = header(step)
  if rec.run < meta.run then
    rec.run = meta.run
    save(step, rec)
    if head.lists > 0 then
      work[#work + 1] = { step, 0, 0 }
    end
  elseif rec.state == S.pending and rec.waiting == 0 then
    make_ready(step, rec, head)
  end
end

local NEXT = { reset = 'resume' }

-- Visits the next portion of steps.
local function walk_on()
  local found = redis.call('HSCAN', STEPS, redis.call('HGET', WORKFLOW, 'cursor'), 'COUNT', PORTION)
  local cursor, specs = found[1], found[2]
  for i = 1, #specs, 2 do
    visit[meta.walk](specs[i], (load(specs[i])))
  end
  if cursor ~= '0' then
    redis.call('HSET', WORKFLOW, 'cursor', cursor)
    return
  end
  meta.walk = NEXT[meta.walk]
  if meta.walk then
    redis.call('HSET', WORKFLOW, 'walk', meta.walk, 'cursor', 0)
  else
    redis.call('HDEL', WORKFLOW, 'walk', 'cursor')
  end
end

-- How long nobody needs to go on with a walk before others do, ms. It harms nothing if two are at it. It doesn't depend
-- on lease_ttl: whoever begins may be the command line, which doesn't know that of the workers.
local WALK_PAUSE = 1000

-- Goes on with all that is still to be done about many steps. Returns 1 if there is more, else 0.
local function go_on()
  local was = meta.walk
  local more = spread(true)
  if meta.walk and (more == 0 or meta.walk ~= 'resume') then
    walk_on()
    more = spread(true)
  end
  if more == 0 and not meta.walk then
    return 0
  end
  local pause = meta.walk and WALK_PAUSE or LEASE_TTL
  if meta.walk == 'resume' and was ~= 'resume' then
    pause = 0 -- whoever began it may not be able to send anything, and now it comes to that
  end
  redis.call('ZADD', SPREADING, NOW + pause, ID)
  return 1
end
