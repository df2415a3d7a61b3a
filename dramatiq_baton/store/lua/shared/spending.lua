-- Spending ---------------------------------------------------------------------------------
--
-- Money is counted in trillionths of a dollar: whole numbers, which Redis adds exactly.

-- An amount as a decimal number of dollars, exactly. Lua's own numbers would round it.
local function dollars(units)
  local digits = string.rep('0', 13 - #units) .. units
  local whole, fraction = string.sub(digits, 1, -13), string.gsub(string.sub(digits, -12), '0+$', '')
  return fraction == '' and whole or whole .. '.' .. fraction
end

-- Why a step that would spend money mustn't begin; nil if it may. What has begun is let go on.
local function over_budget(head)
  if not has_flag(head.flags, LLM) then
    return nil
  end
  local found = redis.call('HMGET', WORKFLOW, 'budget', 'spent')
  local budget, spent = found[1], found[2] or '0'
  if not budget or tonumber(spent) < tonumber(budget) then
    return nil
  end
  return 'the budget of $' .. dollars(budget) .. ' is spent: $' .. dollars(spent)
end
