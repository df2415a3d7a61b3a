-- News -------------------------------------------------------------------------------------
--
-- Only in the scripts of a process that has observers: what a script has changed comes back beside its reply.
--
-- The last argument is what they carry: '' if nothing, else a JSON object, '{}' if there is nothing to be carried now.
-- What a submission carries is kept for all steps, what an execution carries that completes its step for its dependents.
-- It lies in :edges, which every workflow has, and where 0.1.0 looks for nothing of the kind.

local WORDS = table.remove(ARGV)
local CARRIED = 'words:' -- of a step, that goes on with its name

-- {event, workflow, its name, step, actor, queue, attempt, duration, wait, outcome, words}; duration and wait in ms,
-- -1 if there is none; words: those of the workflow, if it has finished.
local news = {}
local due = {} -- by member: since when a step that has just left an index could have been claimed

local write_event = emit
local function emit(event, step, actor, queue, attempt, more)
  write_event(event, step, actor, queue, attempt, more)
  local found = {}
  for i = 1, #more, 2 do
    found[more[i]] = more[i + 1]
  end
  if found.cached then
    return -- a message came again; nothing has changed
  end
  local wait, words = -1, ''
  if event == 'executing' and due[member(step)] then
    wait = math.max(0, NOW - due[member(step)])
  elseif event == 'workflow_finished' and WORDS ~= '' then
    words = redis.call('HGET', EDGES, CARRIED) or ''
  elseif WORDS ~= '' and WORDS ~= '{}' then
    if event == 'workflow_started' then
      redis.call('HSET', EDGES, CARRIED, WORDS)
    elseif event == 'completed' and step == ARGV[5] and ID == ARGV[1] and header(step).lists > 0 then
      redis.call('HSET', EDGES, CARRIED .. step, WORDS)
    end
  end
  news[#news + 1] = {
    event, ID, meta.name, step, actor, queue, attempt, found.duration or -1, wait, found.outcome or '', words,
  }
end

local take_queued_out = unindex_queued
local function unindex_queued(step, queue)
  local at = take_queued_out(step, queue)
  due[member(step)] = at or due[member(step)]
  return at
end

local take_out = unindex
local function unindex(step, rec, queue)
  if rec.state == S.snoozed or rec.state == S.retryable then
    local overdue = redis.call('ZSCORE', WAITING, member(step))
    due[member(step)] = overdue and tonumber(overdue) - LEASE_TTL
  end
  take_out(step, rec, queue)
end
