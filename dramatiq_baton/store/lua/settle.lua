-- Records how an execution ended for good. See shared/outcome.lua, also for what is returned; the released steps
-- follow it.
--
-- ARGV[5] step   ARGV[6] token   ARGV[7] completed | discarded | cancelled
-- ARGV[8] result   ARGV[9] reason   ARGV[10] error   ARGV[11] worker

local said = record_outcome(ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11])
if not said[2] then
  return said
end
commit()
return { said[1], said[2], send_released() }
