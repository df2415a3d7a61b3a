-- Takes messages off a queue, as Dramatiq's own script does.
--
-- KEYS[1] the queue   KEYS[2] <queue>.msgs   KEYS[3] ids of what this worker has fetched and not acknowledged
-- KEYS[4] <queue>.wake   KEYS[5] when each worker was heard of last
-- ARGV[1] most messages   ARGV[2] now, ms   ARGV[3] worker id   ARGV[4] how long an unread wake-up stays, ms
--
-- Returns the messages.

redis.call('ZADD', KEYS[5], ARGV[2], ARGV[3])
local ids = redis.call('LPOP', KEYS[1], ARGV[1])
if not ids or #ids == 0 then
  return {}
end
redis.call('SADD', KEYS[3], unpack(ids))
-- Many messages may have come with one wake-up: whoever leaves some wakes the next.
if redis.call('LLEN', KEYS[1]) > 0 and redis.call('EXISTS', KEYS[4]) == 0 then
  redis.call('RPUSH', KEYS[4], '1')
  redis.call('PEXPIRE', KEYS[4], ARGV[4])
end
return redis.call('HMGET', KEYS[2], unpack(ids))
