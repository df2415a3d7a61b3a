-- All that follows when an actor has returned, in one script, where the broker is on this server: its step is
-- completed, its message acknowledged, its dependents are put into their queues, and the thread that gets free is
-- given what it is to run next, claimed already.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] result
-- ARGV[8] queue of the message   ARGV[9] its id there, '' if it isn't to be acknowledged yet
-- ARGV[10] the broker's name for this worker process
-- ARGV[11] what the thread runs next: '' nothing, 'fetched' a message that this process has fetched already,
--          'released' a step released here, if none waits in that queue for longer
-- ARGV[12] holder   ARGV[13] delay   ARGV[14] max_rescues   ARGV[15] worker   ARGV[16] before: of the next delivery
-- ARGV[17] workflow   ARGV[18] step   ARGV[19] seq   ARGV[20...] wanted deps: of a fetched message
--
-- Returns {what settle.lua returns, what claim.lua returns about the next step or {}, its message if it was released
-- here}.

local queue = BROKER .. ':' .. ARGV[8]
local unacknowledged = BROKER .. ':__acks__.' .. ARGV[10] .. '.' .. ARGV[8]
local by = {
  holder = ARGV[12], delay = tonumber(ARGV[13]), max_rescues = tonumber(ARGV[14]), worker = ARGV[15],
  before = ARGV[16] or '',
}

-- The first message of a step that may be handed over: nothing waits for longer, and no other middleware may refuse
-- it for its age.
local function may_be_handed_over(head, parts)
  return head.queue == ARGV[8] and not string.find(parts[6], '"max_age"', 1, true)
    and redis.call('LLEN', queue) == 0
end

local function hand_over(item, id, data, parts)
  local step, head, rec = item[1], item[2], item[3]
  local wanted = parts[4] <= MOST_RESULTS_AT_ONCE and { unpack(parts[3], 1, parts[4]) } or {}
  local ok, claim = pcall(gate, step, rec.seq, wanted, by) -- what is wrong here must not undo what was done above
  if not ok then
    return nil
  end
  redis.call('HSET', queue .. '.msgs', id, data)
  redis.call('SADD', unacknowledged, id)
  return claim, data
end

-- The step that was handed over when this was asked the first time, should the reply to that have been lost.
local function handed_over_before()
  local head = header(ARGV[5])
  for _, name in ipairs(head and head.first or {}) do
    local rec = load(name)
    if rec and rec.holder == by.holder then
      local next_head = header(name)
      local id, data, parts = message(name, rec, next_head)
      return hand_over({ name, next_head, rec }, id, data, parts)
    end
  end
end

local said = record_outcome(ARGV[5], tonumber(ARGV[6]), 'completed', ARGV[7], '', '', ARGV[15])
if ARGV[9] ~= '' and redis.call('SREM', unacknowledged, ARGV[9]) == 1 then
  redis.call('HDEL', queue .. '.msgs', ARGV[9])
end

local claim, data
if ARGV[11] == 'released' and said[1] == 'settled' then
  claim, data = handed_over_before()
elseif ARGV[11] == 'released' and BROKER ~= '' and released[1] and released[1][2].encoded then
  local item = released[1]
  local id, text, parts = message(item[1], item[3], item[2])
  if may_be_handed_over(item[2], parts) then
    table.remove(released, 1)
    claim, data = hand_over(item, id, text, parts)
    if not claim then
      table.insert(released, 1, item)
    end
  end
end
commit()
local answer = said[2] and { said[1], said[2], send_released() } or said

if ARGV[11] == 'fetched' then
  if ARGV[17] ~= ID then
    turn_to(ARGV[17])
  end
  local ok, found = pcall(gate, ARGV[18], tonumber(ARGV[19]), { unpack(ARGV, 20) }, by)
  claim = ok and found or nil -- what is wrong with it is said when it is asked for alone
end
return { answer, claim or {}, data or '' }
