-- Asks the gate about one delivery. See shared/gate.lua, also for what is returned.
--
-- ARGV[5] step             ARGV[6] holder        ARGV[7] seq of the message   ARGV[8] delay
-- ARGV[9] max_rescues      ARGV[10] worker       ARGV[11] before
-- ARGV[12...] names of the deps whose results the actor's arguments need

return gate(ARGV[5], tonumber(ARGV[7]), { unpack(ARGV, 12) }, {
  holder = ARGV[6], delay = tonumber(ARGV[8]), max_rescues = tonumber(ARGV[9]), worker = ARGV[10], before = ARGV[11],
})
