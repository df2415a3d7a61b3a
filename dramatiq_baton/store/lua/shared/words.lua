-- Words ------------------------------------------------------------------------------------
--
-- To a step that runs, the gate also gives what its workflow and its deps carry: {'words', of the workflow, of deps...},
-- behind the results.

local MOST_DEPS = 100

-- The names of a step's deps. What another encoder than Dramatiq's JSON makes can't be read here: then they are those
-- whose results are wanted.
local function deps_of(step, head, wanted)
  if not head.encoded then
    return wanted
  end
  local packed = body(step, head)
  local offset = cmsgpack.unpack_one(packed)
  local _, place = cmsgpack.unpack_one(packed, offset)
  return place[2]
end

local function words_for(step, wanted)
  local head = header(step)
  local deps = head.deps > 0 and deps_of(step, head, wanted) or {}
  local fields = { CARRIED }
  for i = 1, math.min(MOST_DEPS, #deps) do
    fields[i + 1] = CARRIED .. deps[i]
  end
  local found = { 'words' }
  for i, words in ipairs(redis.call('HMGET', EDGES, unpack(fields))) do
    if words or i == 1 then
      found[#found + 1] = words or ''
    end
  end
  return found
end

local ask_gate = gate
local function gate(step, seq, wanted, by)
  local answer = ask_gate(step, seq, wanted, by)
  if WORDS ~= '' and answer[1] == 'run' then
    local ok, found = pcall(words_for, step, wanted) -- whatever is wrong with them, the actor may run
    answer[#answer + 1] = ok and found or nil
  end
  return answer
end
