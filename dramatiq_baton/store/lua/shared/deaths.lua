-- Deaths -----------------------------------------------------------------------------------
--
-- More news: a worker died, or lost touch, while it ran the step.

local bury_only = bury
local function bury(step, rec, head, max_rescues)
  news[#news + 1] = { 'rescued', ID, meta.name, step, head.actor, head.queue, rec.attempt, -1, -1, '', '' }
  return bury_only(step, rec, head, max_rescues)
end
