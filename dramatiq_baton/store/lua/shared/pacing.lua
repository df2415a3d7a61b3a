-- Pacing -----------------------------------------------------------------------------------
--
-- Steps that call the same provider share a lane. As long as the provider refuses nobody, the lane lets everybody pass
-- and just counts. With the first refusal it closes for as long as the provider asks, and goes on at a little less than
-- what the provider had accepted. From then on its rate is found as TCP finds one: it rises while steps have to wait for
-- it, and falls with each refusal. A step's turn is reckoned as in the "generic cell rate algorithm" of ATM: one time,
-- that of the next free turn, and no bucket to fill.
--
-- A lane is stored as a list, in this order:
--   rate     calls a second; 0: nobody was refused yet
--   next     the next free turn, ms since 1970
--   line     when those who were told to come later are through, if all goes well
--   since    since when calls are counted: a rate's, since it fell; else for a second
--   calls    how many were let through since then
--   before   how many in the second before that, without a rate
--   under_way  calls with an earlier turn than this were let through before the rate fell
--   less     by how much each further refusal of those lowers it: they had been counted as accepted
--   least    but not below this

local AHEAD = 1000 -- a turn that is no farther away is given at once: the worker's thread waits for it, ms
local SECOND = 1000
local MEMORY = 10 * 60 * 1000 -- how long a lane that nobody uses is kept, ms
local LONGEST_CLOSED = 60 * 60 * 1000 -- whatever the provider asks for, ms

local CAUTION = 0.9 -- the share of what was accepted that a lane goes on with
local FALL = 0.8
local DEEPEST_FALL = 0.5
local RISE = 0.03 -- a second
local RISE_BY_CALL = 0.006 -- for each call since the rate fell: a slow lane must not rise much from one call to the next
local IDLE = 0.1 -- the share of the pause between two calls by which one may be late in a lane that is in full use
local LEAST_FIRST, LEAST = 1, 0.1 -- calls a second, after the first refusal and ever
local RECENT, ENOUGH = 10, 5 -- what was accepted since the rate fell is a clue if that was seconds ago, and calls enough

local EARLY = 0.9 -- by less than what is promised, lest the lane run dry and nobody see whether more would be accepted
local LONGEST_LOOK_AWAY = 30000 -- nobody is told to come later than this: the rate may have risen by then, ms
local MOST_LOOKS = 50 -- unless more than so many would come in a second

local function open_lane(name)
  local stored = redis.call('GET', LANES .. name)
  local v = stored and cmsgpack.unpack(stored) or { 0, NOW, NOW, NOW, 0, 0, 0, 0, 0 }
  local lane = {
    name = name, rate = v[1], next = v[2], line = v[3], since = v[4], calls = v[5], before = v[6],
    under_way = v[7], less = v[8], least = v[9],
  }
  if lane.rate == 0 and NOW - lane.since >= SECOND then
    local is_next = NOW - lane.since < 2 * SECOND
    lane.before, lane.calls = is_next and lane.calls or 0, 0
    lane.since = is_next and lane.since + SECOND or NOW
  end
  return lane
end

local function keep_lane(lane)
  redis.call('SET', LANES .. lane.name, cmsgpack.pack({
    lane.rate, lane.next, lane.line, lane.since, lane.calls, lane.before, lane.under_way, lane.less, lane.least,
  }), 'PX', math.ceil(MEMORY + math.max(0, lane.next - NOW)))
end

-- When a step may call, ms since 1970: now, or very soon. Or nil, and in how many ms it is to ask again.
local function take_turn(name, rec)
  local lane = open_lane(name)
  if lane.rate == 0 then
    lane.calls = lane.calls + 1
    keep_lane(lane)
    return NOW
  end
  local pause = SECOND / lane.rate
  local turn = math.max(NOW, lane.next)
  local promised = rec.state == S.snoozed and tonumber(string.match(rec.holder, '^turn (%d+)$'))
  if (promised and turn or math.max(turn, lane.line)) <= NOW + AHEAD then
    if NOW - lane.next < pause * IDLE then -- else nobody knows whether more would be accepted
      local rise = 1 + math.min(RISE * pause / SECOND, RISE_BY_CALL * lane.calls)
      lane.rate = lane.rate * rise
      lane.line = NOW + math.max(0, lane.line - NOW) / rise -- as many wait as before
    end
    lane.next, lane.calls = turn + pause, lane.calls + 1
    keep_lane(lane)
    return math.ceil(turn)
  end

  if not promised or promised <= turn then
    promised = math.ceil(math.max(turn, lane.line))
    lane.line = promised + pause
    keep_lane(lane)
  end
  rec.holder = 'turn ' .. string.format('%.0f', promised)
  local behind = (lane.line - turn) / pause
  local look_away = math.max(LONGEST_LOOK_AWAY, behind / MOST_LOOKS * SECOND)
  local left = (promised - turn) * EARLY
  if left > look_away then -- not all at the same time: the golden ratio's multiples lie evenly
    left = look_away * (1 + promised / pause * 0.618 % 1) / 2
  end
  return nil, math.ceil(turn - NOW + left)
end

-- The provider refused a call.
--
-- begun   when the call's turn was, ms since 1970
-- asked   for how long the provider asks to be left alone, ms; 0 if it doesn't say
local function slow_down(name, begun, asked)
  local lane = open_lane(name)
  local rate = lane.rate
  if begun < lane.under_way then -- a burst counts once
    lane.rate = math.max(math.min(rate, lane.least), rate - lane.less)
  else
    if rate == 0 then
      local accepted = lane.calls + lane.before * (1 - (NOW - lane.since) / SECOND) - 1
      lane.least, lane.less = LEAST_FIRST, CAUTION
      lane.rate = math.max(LEAST_FIRST, accepted * CAUTION)
    else
      local seconds, accepted = math.max(1, NOW - lane.since) / SECOND, lane.calls - 1
      lane.least, lane.less = math.max(LEAST, rate * DEEPEST_FALL), 0
      local falls_to = rate * FALL
      if seconds < RECENT and lane.calls >= ENOUGH then
        lane.less = 1 / seconds
        falls_to = math.min(falls_to, accepted / seconds)
      end
      lane.rate = math.max(lane.least, falls_to)
    end
    lane.since, lane.calls, lane.before = NOW, 0, 0
    lane.under_way = math.max(NOW + 1, lane.next)
  end
  local closed = asked > 0 and math.min(asked, LONGEST_CLOSED) or SECOND
  lane.next = math.max(lane.next, NOW + closed)
  keep_lane(lane)
end
