-- Sending ----------------------------------------------------------------------------------

-- A queue of a RedisBroker of Dramatiq's: a list of message ids, a hash of messages by id, and (our own) a list that
-- consumers block on. What is in that says nothing but "look"; whoever looks and leaves something says so again.
local WAKE_TTL = 60000 -- how long a wake-up that nobody reads stays, ms

local function wake(queue)
  if redis.call('EXISTS', queue .. '.wake') == 0 then
    redis.call('RPUSH', queue .. '.wake', '1')
    redis.call('PEXPIRE', queue .. '.wake', WAKE_TTL)
  end
end

-- A step's message as Dramatiq's JSON encoder would write it, and the id by which the broker knows it: the same for
-- the same sending. It is dated now: AgeLimit counts from when a step could start, not from when it was submitted.
local function message(step, rec, head)
  local _, parts = cmsgpack.unpack_one(body(step, head)) -- the names of its deps, which may be many, come behind
  local message_id, args, options, refs = unpack(parts)
  local id = message_id .. ':' .. rec.seq .. ':' .. rec.resent
  local more = {
    options ~= '' and options .. ',' or '',
    '"baton":{"ns":', cjson.encode(NAMESPACE), ',"workflow":', cjson.encode(ID), ',"step":', cjson.encode(step),
    ',"seq":', rec.seq, refs ~= '' and ',"refs":' .. refs or '',
    head.quorum > 0 and ',"quorum":' .. head.quorum or '', '}',
    rec.retries > 0 and ',"retries":' .. rec.retries or '',
    ',"redis_message_id":', cjson.encode(id),
  }
  local data = '{"queue_name":' .. cjson.encode(head.queue) .. ',"actor_name":' .. cjson.encode(head.actor) ..
    ',' .. args .. ',"options":{' .. table.concat(more) .. '},"message_id":' .. cjson.encode(message_id) ..
    ',"message_timestamp":' .. string.format('%.0f', NOW) .. '}'
  return id, data
end

-- The released steps, for the caller to send: name, spec, retry count and seq of each. With a broker on this server
-- they are put into their queues instead, and none is left for the caller; who sleeps at a queue is woken, unless the
-- caller sees to that queue.
local function send_released(seen_to)
  local left, queues = {}, {}
  for _, item in ipairs(released) do
    local step, head, rec, again = item[1], item[2], item[3], item[4]
    if BROKER ~= '' and head.encoded then
      local queue = BROKER .. ':' .. head.queue
      local id, data = message(step, rec, head)
      -- What is there already was sent and isn't acknowledged yet.
      if not again or redis.call('HEXISTS', queue .. '.msgs', id) == 0 then
        local found = queues[queue] or { ids = {}, messages = {} }
        queues[queue] = found
        found.ids[#found.ids + 1] = id
        found.messages[#found.messages + 1] = id
        found.messages[#found.messages + 1] = data
      end
    else
      left[#left + 1] = step
      left[#left + 1] = head.body_at == -1 and head.spec .. body(step, head) or head.spec
      left[#left + 1] = tostring(rec.retries)
      left[#left + 1] = tostring(rec.seq)
    end
  end
  for queue, found in pairs(queues) do
    redis.call('HSET', queue .. '.msgs', unpack(found.messages))
    redis.call('RPUSH', queue, unpack(found.ids))
    if queue ~= seen_to then
      wake(queue)
    end
  end
  released = {}
  return unpack(left)
end
