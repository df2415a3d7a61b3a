-- Outcomes ---------------------------------------------------------------------------------
--
-- How an execution ended for good: the step's result or failure, and all that follows from it.
--
-- step, token  whose execution it was
-- state        completed | discarded | cancelled
-- result       encoded; '' unless completed
-- reason, error, worker  for the record and the event
--
-- Returns {'unknown' | 'newer' | 'no-step' | 'lost'} or {'ok' | 'settled', more};
-- more > 0: some dependents are still to be told, with spread.lua.

local function record_outcome(step, token, state, result, reason, error, worker)
  local head, rec, obstacle = open_step(step)
  if obstacle then
    return { obstacle }
  end
  if settled(rec) then
    if rec.token == token and meta.state == 'executing' then -- the reply to the first call was lost
      release_again(step)
    end
    return { 'settled', redis.call('LLEN', SPREADS) }
  end

  if token <= rec.void then
    return { 'lost' } -- it was called off, and may know it; since then the workflow was retried
  end
  -- A lost lease silences everything but a first result: work that was paid for is kept.
  local lease_lost = rec.state ~= S.executing or rec.token ~= token
  if lease_lost and state ~= 'completed' then
    return { 'lost' }
  end

  if state == 'completed' then
    redis.call('HSET', RESULTS, step, result)
  end
  local more = { 'error', error, 'worker', worker }
  if rec.started > 0 then
    more[5], more[6] = 'duration', math.max(0, NOW - rec.started)
  end
  settle(step, rec, head, S[state], reason, more)
  return { 'ok', spread(false) }
end
