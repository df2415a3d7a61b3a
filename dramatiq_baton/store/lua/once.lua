-- Stores the value of a call that a step makes once per key. The first value stays.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] key   ARGV[8] the value
--
-- Returns {'stored'}, {'first', value} if there was one, or {'unknown' | 'newer' | 'no-step' | 'lost'}: whoever asks
-- doesn't speak for the step any more, and nothing is stored.

local step, token = ARGV[5], tonumber(ARGV[6])
local field = step .. SEP .. ARGV[7]

local first = redis.call('HGET', ONCE, field)
if first then
  return { 'first', first }
end
local _, rec, obstacle = open_step(step)
if obstacle then
  return { obstacle }
end
-- A step that settled or was called off isn't executing, and when it is again, its token is another.
if rec.state ~= S.executing or rec.token ~= token then
  return { 'lost' }
end
redis.call('HSET', ONCE, field, ARGV[8])
return { 'stored' }
