-- Words ------------------------------------------------------------------------------------
--
-- To a step that runs, the gate also gives what its workflow and its deps carry: {'words', of the workflow, of deps...},
-- behind the results.

local MOST_DEPS = 100

local function words_for(step)
  local found = { 'words', redis.call('HGET', WORKFLOW, 'words') or '' }
  local head = header(step)
  if head.deps > 0 then
    local packed = body(step, head)
    local offset = cmsgpack.unpack_one(packed)
    local _, place = cmsgpack.unpack_one(packed, offset)
    local fields = {}
    for i = 1, math.min(MOST_DEPS, #place[2]) do
      fields[i] = CARRY_WORDS .. place[2][i]
    end
    for _, words in ipairs(redis.call('HMGET', EDGES, unpack(fields))) do
      if words then
        found[#found + 1] = words
      end
    end
  end
  return found
end

local ask_gate = gate
local function gate(step, seq, wanted, by)
  local answer = ask_gate(step, seq, wanted, by)
  if WORDS ~= '' and answer[1] == 'run' then
    answer[#answer + 1] = words_for(step)
  end
  return answer
end
