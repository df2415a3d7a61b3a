-- Notes what a call to a provider used and cost. Whatever has become of its step: the money is spent.
--
-- ARGV[5] names the call, so that noting it twice is harmless   ARGV[6] the call
-- ARGV[7] what it cost, in trillionths of a dollar; '' if that isn't known
-- ARGV[8] tokens of the prompt   ARGV[9] tokens of the answer
--
-- Returns {'noted' | 'known' | 'unknown' | 'newer'}.

local obstacle = open_workflow()
if obstacle then
  return { obstacle }
end
if redis.call('HSETNX', USAGE, ARGV[5], ARGV[6]) == 0 then
  return { 'known' }
end
redis.call('HINCRBY', WORKFLOW, 'calls', 1)
redis.call('HINCRBY', WORKFLOW, 'input_tokens', ARGV[8])
redis.call('HINCRBY', WORKFLOW, 'output_tokens', ARGV[9])
if ARGV[7] ~= '' then
  redis.call('HINCRBY', WORKFLOW, 'spent', ARGV[7])
else
  redis.call('HINCRBY', WORKFLOW, 'unpriced', 1)
end
if meta.state ~= 'executing' then -- what comes late goes with the rest
  redis.call('PEXPIRE', USAGE, redis.call('PTTL', WORKFLOW))
end
return { 'noted' }
