-- Opening --------------------------------------------------------------------------------

-- Opens the workflow, unless it is open, and reads one of its steps. Returns its header and its record, or nil, nil and
-- why it can't be worked on: 'unknown', 'newer' or 'no-step'.
local function open_step(step)
  local obstacle = not meta and open_workflow()
  if obstacle then
    return nil, nil, obstacle
  end
  local head = header(step)
  if not head then
    return nil, nil, 'no-step'
  end
  local rec = load(step, head)
  if meta.called_off and is_open(rec) then -- the walk that cancels all steps hasn't come to it yet
    call_off(step, rec, head)
    commit()
  end
  return head, rec
end
