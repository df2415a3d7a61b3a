-- Takes a workflow out of the index of those that run, if there is nothing left of it.
--
-- KEYS[1] <namespace>:workflow:{<id>}   KEYS[2] <namespace>:index:workflows:executing   ARGV[1] its member there

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
end
