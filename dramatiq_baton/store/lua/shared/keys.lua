-- Shared by every script; the loader puts it in front of each of them.
--
-- KEYS[1]  <namespace>:workflow:{<id>}     a hash, the workflow itself:
--            v            version of this layout: 1 as 0.1.0 wrote it; 2 if 0.1.0 would misread it, see submission.py
--            name, digest, dispatch, total, created, finished, retention
--            run          1, and 1 more for each retry; started: when this run began
--            state        executing | completed | failed | cancelled
--            open         steps that have to settle in this run, plus callbacks not run; the workflow ends at 0
--            callbacks    those of them
--            n:<state>    how many steps are in that state
--            failed       names of discarded steps, the first 50, separated by SEP
--            called_off   why this run was cancelled as a whole; interrupt: 1 if running actors are to be interrupted
--            calls, input_tokens, output_tokens, unpriced, spent   sums of what calls to providers used and cost; see usage.lua
--            budget       what may be spent; like spent, in trillionths of a dollar
--            walk         what goes over all steps, in portions: cancel | reset | resume; cursor: how far it has come
--   and, in the same hash slot, all that belongs to the workflow:
--   KEYS[1]:steps    hash   step -> what it was added as (never changes), see header()
--   KEYS[1]:edges    hash   "<n>:<step>" -> the n-th list of names of its dependents; "body:<step>": see header();
--                           "words:<step>": what the execution that completed it carries for observers; "words:": what
--                           the submission does, see news.lua
--   KEYS[1]:state    hash   step -> its record, see unpack_record(); no entry yet means untouched
--   KEYS[1]:results  hash   step -> stored result
--   KEYS[1]:once     hash   step SEP key -> the value of a call that is made once, see once.lua
--   KEYS[1]:usage    hash   name of a call to a provider -> what it used and cost
--   KEYS[1]:spreads  list   settled steps whose dependents have not all been told yet
--   KEYS[1]:events   stream the workflow's whole story
--   KEYS[1]:ends     stream one entry for each time it finished; whoever waits blocks on it
-- KEYS[2]  <namespace>:index               a prefix; what the rescue looks at, by time:
--   KEYS[2]:leases          sorted set  step and token -> when the lease runs out
--   KEYS[2]:waiting         sorted set  snoozed or retryable step -> when it is overdue; delayed step -> when it is due
--   KEYS[2]:queued:<queue>  sorted set  step sent to that queue -> when
--   KEYS[2]:queues          set         the queues that have such a sorted set
--   KEYS[2]:progress        hash        queue -> when the step claimed last was queued;
--                                       "<queue>" SEP "at" -> when that claim was
--   KEYS[2]:turn:<thread>   string      the message that a thread was given last; expires by itself
--   KEYS[2]:lane:<lane>     string      what is known of a provider's limit, see pacing.lua; expires by itself
--   KEYS[2]:spreading       sorted set  workflow with a non-empty :spreads or a walk -> when overdue
--   KEYS[2]:workflows:<state>  sorted set  workflow and its name -> when it was submitted
--   KEYS[2]:expiring        sorted set  finished workflow and its name -> when its data goes
-- KEYS[3]  <namespace>:workflow:all:events  stream of all workflows, capped
--
-- ARGV[1]  the workflow's id
-- ARGV[2]  the cap of KEYS[3]
-- ARGV[3]  lease_ttl in ms; also how long the rescue waits before it doubts a delivery
-- ARGV[4]  where released steps are put into their queues here and now: the namespace of a RedisBroker on this
--          server; '' if the caller sends them

local INDEX, ALL_EVENTS = KEYS[2], KEYS[3]
local LEASES, WAITING, QUEUED = INDEX .. ':leases', INDEX .. ':waiting', INDEX .. ':queued:'
local QUEUES, PROGRESS, SPREADING = INDEX .. ':queues', INDEX .. ':progress', INDEX .. ':spreading'
local WORKFLOWS, EXPIRING, LANES = INDEX .. ':workflows:', INDEX .. ':expiring', INDEX .. ':lane:'

local ALL_EVENTS_CAP, LEASE_TTL, BROKER = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local NAMESPACE = string.sub(INDEX, 1, -#':index' - 1)

local VERSION, OLDER = '2', '1'
local SEP = '\31' -- in no id and no name: control characters are refused there
local PORTION = 50 -- dependents told per script, so that no script takes long
local MOST_FAILED_NAMES = 50

local S = {
  pending = 0, queued = 1, executing = 2, snoozed = 3, retryable = 4,
  completed = 5, discarded = 6, cancelled = 7,
}
local STATE_NAMES = {
  [0] = 'pending', 'queued', 'executing', 'snoozed', 'retryable', 'completed', 'discarded', 'cancelled',
}
-- Bits of a step's flags, set when it is added.
local IGNORE_CANCELLED, IGNORE_DISCARDED, ON_DEP_CANCELLED, ON_DEP_DISCARDED, LLM = 1, 2, 4, 8, 32
-- One more in a record's: the execution that was called off is to be interrupted.
local INTERRUPT = 16

local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function has_flag(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with_flag(flags, flag, wanted)
  if has_flag(flags, flag) == wanted then
    return flags
  end
  return flags + (wanted and flag or -flag)
end
