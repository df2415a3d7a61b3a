-- How an execution ended for good: the step's result or failure, and all that follows from it.
--
-- ARGV[4] step   ARGV[5] token   ARGV[6] completed | discarded | cancelled
-- ARGV[7] result, encoded ('' unless completed)   ARGV[8] reason   ARGV[9] error   ARGV[10] worker
--
-- Returns {'unknown' | 'newer' | 'no-step' | 'lost'} or {'ok' | 'settled', more, released...};
-- more > 0: some dependents are still to be told, with spread.lua.

local step, token, outcome, result = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
local head = header(step)
if not head then
  return { 'no-step' }
end
local rec = load(step, head)
if settled(rec) then
  if rec.token == token and meta.state == 'executing' then -- the reply to the first call was lost
    release_again(step)
  end
  return { 'settled', redis.call('LLEN', SPREADS), unpack(released) }
end

-- A lost lease silences everything but a first result: work that was paid for is kept.
local lease_lost = rec.state ~= S.executing or rec.token ~= token
if lease_lost and outcome ~= 'completed' then
  return { 'lost' }
end

if outcome == 'completed' then
  redis.call('HSET', RESULTS, step, result)
end
local more = { 'error', ARGV[9], 'worker', ARGV[10] }
if rec.started > 0 then
  more[5], more[6] = 'duration', NOW - rec.started
end
settle(step, rec, head, S[outcome], ARGV[8], more)
local left = spread(false)
commit()
return { 'ok', left, unpack(released) }
