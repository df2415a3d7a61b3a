-- Puts a portion of a large graph aside until all of it is there. If its submitter dies, it expires:
-- writing and expiry are one step, or a death between the two would leave it for ever.
--
-- KEYS[1] <namespace>:workflow:{<id>}:staged:<nonce>:steps or :edges
-- ARGV[1] when it expires, ms from now   ARGV[2...] fields and values

redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
