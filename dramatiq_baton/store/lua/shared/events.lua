-- Events ---------------------------------------------------------------------------------

local function emit(event, step, actor, queue, attempt, more)
  local entry = {
    'event', event, 'workflow_id', ID, 'workflow_name', meta.name,
    'step', step, 'actor', actor, 'queue', queue, 'attempt', attempt, 'ts', NOW,
  }
  for i = 1, #more, 2 do
    if more[i + 1] ~= '' then
      entry[#entry + 1] = more[i]
      entry[#entry + 1] = more[i + 1]
    end
  end
  if meta.spent then -- by all steps up to now
    entry[#entry + 1] = 'cost'
    entry[#entry + 1] = dollars(meta.spent)
  end
  redis.call('XADD', EVENTS, '*', unpack(entry))
  redis.call('XADD', ALL_EVENTS, 'MAXLEN', '~', ALL_EVENTS_CAP, '*', unpack(entry))
end
