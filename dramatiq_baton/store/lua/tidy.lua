-- Looks at some workflows that stand in the index of the running ones: workers of 0.1.0, which may have finished them,
-- know nothing of that index, and some may have been deleted by hand. Taken at random, all are found in the end.
--
-- KEYS[1] <namespace>:index    see shared/keys.lua for what lies under it   ARGV[1] how many

local RUNNING, EXPIRING, SEP = KEYS[1] .. ':workflows:executing', KEYS[1] .. ':expiring', '\31'
local NAMESPACE = string.sub(KEYS[1], 1, -#':index' - 1)
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

for _, entry in ipairs(redis.call('ZRANDMEMBER', RUNNING, ARGV[1])) do
  local workflow = NAMESPACE .. ':workflow:{' .. string.match(entry, '^[^' .. SEP .. ']*') .. '}'
  local state, left = redis.call('HGET', workflow, 'state'), redis.call('PTTL', workflow)
  if state and state ~= 'executing' then
    local finished = KEYS[1] .. ':workflows:' .. state
    redis.call('ZADD', finished, redis.call('ZSCORE', RUNNING, entry), entry)
    redis.call('ZADD', EXPIRING, NOW + left, entry)
    for _, key in ipairs({ finished, EXPIRING }) do -- they go by themselves when the last of their workflows has gone
      if redis.call('PTTL', key) < left then
        redis.call('PEXPIRE', key, left)
      end
    end
  end
  if state ~= 'executing' then
    redis.call('ZREM', RUNNING, entry)
  end
end
