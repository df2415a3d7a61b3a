-- All that follows when an actor has returned, in one script, where the broker is on this server: its step is
-- completed, its message acknowledged, its dependents are put into their queues, and the thread that gets free is
-- given what it is to run next, claimed already.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] result
-- ARGV[8] namespace of the broker   ARGV[9] queue of the message   ARGV[10] its id there, '' if it isn't to be
-- acknowledged yet   ARGV[11] the broker's name for this worker process
-- ARGV[12] what the thread runs next: '' nothing, 'fetched' a message that this process has fetched already,
--          'first' the first message of that queue
-- ARGV[13] holder   ARGV[14] delay   ARGV[15] max_rescues   ARGV[16] worker   ARGV[17] before: of the next delivery
-- If it was fetched: ARGV[18] workflow   ARGV[19] step   ARGV[20] seq   ARGV[21...] wanted deps
-- Else: ARGV[18] names the thread   ARGV[19] the actors whose steps aren't to be claimed, separated by SEP
--
-- Returns {what settle.lua returns, what claim.lua returns about the next step or {}, its message if it was the first}.

local LONGEST_MESSAGE = 8192 -- that is looked into here; the step of a longer one is claimed in its turn

local queue = ARGV[8] .. ':' .. ARGV[9]
local unacknowledged = ARGV[8] .. ':__acks__.' .. ARGV[11] .. '.' .. ARGV[9]
local by = {
  holder = ARGV[13], delay = tonumber(ARGV[14]), max_rescues = tonumber(ARGV[15]), worker = ARGV[16],
  before = ARGV[17],
}

local function claim(workflow, step, seq, wanted)
  if workflow ~= ID then
    commit()
    turn_to(workflow)
  end
  return gate(step, seq, wanted, by)
end

local function claim_of(data)
  if #data > LONGEST_MESSAGE then
    return {}
  end
  local message = cjson.decode(data)
  local options = message.options
  local baton = options.baton
  if not baton or baton.ns ~= NAMESPACE or baton.before or options.max_age
    or string.find(SEP .. ARGV[19] .. SEP, SEP .. message.actor_name .. SEP, 1, true) then
    return {}
  end
  local wanted, seen = {}, {}
  for _, ref in ipairs(baton.refs or {}) do
    if not seen[ref[2]] then
      seen[ref[2]] = true
      wanted[#wanted + 1] = ref[2]
    end
  end
  return claim(baton.workflow, baton.step, baton.seq, #wanted <= MOST_RESULTS_AT_ONCE and wanted or {})
end

-- What is wrong with the next step, or with anything but this one, must not undo what was done for this one. The next
-- step is claimed in its turn then, and what is wrong is said.
local function carefully(act, ...)
  local own = ID
  local ok, answer = pcall(act, ...)
  if not ok and ID ~= own then
    turn_to(own) -- what was to be written of the other workflow is half of something
  end
  return ok and answer or {}
end

-- Takes the first message of the queue. Should the reply be lost, the thread gets the same one again: for as long as
-- that matters, it is noted under the thread's name.
local function take_first(again)
  local note = INDEX .. ':turn:' .. ARGV[18]
  local id
  if again then
    local found = redis.call('GET', note)
    if found and string.sub(found, 1, #by.holder + 1) == by.holder .. SEP then
      id = string.sub(found, #by.holder + 2)
    end
  else
    id = redis.call('LPOP', queue)
  end
  local data = id and redis.call('HGET', queue .. '.msgs', id)
  if not data then
    return {}
  end
  redis.call('SADD', unacknowledged, id)
  redis.call('SET', note, by.holder .. SEP .. id, 'PX', LEASE_TTL)
  return { carefully(claim_of, data), data }
end

local said = record_outcome(ARGV[5], tonumber(ARGV[6]), 'completed', ARGV[7], '', '', ARGV[16])
local again = said[1] == 'settled'
carefully(function()
  if ARGV[10] ~= '' and redis.call('SREM', unacknowledged, ARGV[10]) == 1 then
    redis.call('HDEL', queue .. '.msgs', ARGV[10])
  end
end)
if said[2] then
  local sent = carefully(function() return { send_released(queue) } end) -- else the rescue sends them
  said = { said[1], said[2], unpack(sent) }
end

local answer, data = {}, ''
if ARGV[12] == 'fetched' then
  answer = carefully(claim, ARGV[18], ARGV[19], tonumber(ARGV[20]), { unpack(ARGV, 21) })
elseif ARGV[12] == 'first' then
  local found = carefully(take_first, again)
  answer, data = found[1] or {}, found[2] or ''
end
commit()
carefully(function()
  if redis.call('LLEN', queue) > 0 then
    wake(queue)
  end
end)
return { said, answer, data }
