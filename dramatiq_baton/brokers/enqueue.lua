-- Puts a message into a queue, as Dramatiq's own script does, and wakes a consumer that sleeps.
--
-- KEYS[1] the queue: a list of message ids        KEYS[2] <queue>.msgs: a hash, id -> message
-- KEYS[3] <queue>.wake: a list that consumers block on. What is in it says nothing but "look"; if
--         nobody sleeps, one entry is enough for the next one to look at once.
-- ARGV[1] message id   ARGV[2] message   ARGV[3] how long an unread wake-up stays, ms

redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('RPUSH', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('RPUSH', KEYS[3], '1')
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
