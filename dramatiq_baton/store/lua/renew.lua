-- Renews leases of one worker process, of any workflows.
--
-- KEYS[1] <namespace>:index:leases   ARGV[1] lease_ttl, ms   ARGV[2...] members, see lease()
--
-- Returns the members that this process doesn't hold any more.

local time = redis.call('TIME')
local expiry = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
local lost = {}
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    redis.call('ZADD', KEYS[1], 'XX', expiry, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
