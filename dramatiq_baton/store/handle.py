"""What a workflow's handle asks: a result, the end, the events. All of it are talks: see ``talks.py``."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from ..errors import ResultMissing, UnknownStep, WorkflowTimeout
from ..events import Event, EventType
from ..names import is_name
from ..states import WorkflowState, WorkflowStatus
from . import reading
from .records import unpack_result
from .replies import stored_result_from
from .store import Store
from .streams import EndSignal, EventReader, position
from .talks import Spoken, Talk, Telling, Told


@Spoken
def name(store: Store, workflow_id: str) -> Talk[str]:
    """Read a workflow's name.

    Raises:
      WorkflowNotFound: If there is none with that id, or its data is gone.
    """
    if not is_name(workflow_id):
        raise reading.not_found(workflow_id)
    name, _ = yield from reading.summary.talk(store, workflow_id)
    return name


@Spoken
def result(store: Store, workflow_id: str, step: Any) -> Talk[Any]:
    """Read the result of a step.

    Raises:
      UnknownStep: If there is no such step.
      ResultMissing: If it hasn't completed; says in what state it is.
    """
    if not is_name(step):
        raise UnknownStep(f"workflow {workflow_id!r} has no step {step!r:.80}; no step can have that name")
    yield from reading.summary.talk(store, workflow_id)
    (reply,) = yield from store.running("results", workflow_id, step)
    data = stored_result_from(reply).data
    if data is not None:
        return unpack_result(workflow_id, step, data)
    record = yield from reading.record.talk(store, workflow_id, step)
    why = f": {record.reason}" if record.reason else ""
    raise ResultMissing(f"step {step!r} of workflow {workflow_id!r} has no result; it is {record.state}{why}")


@Spoken
def wait(store: Store, workflow_id: str, patience: int | None) -> Talk[WorkflowStatus]:
    """Wait until a workflow has finished, at most so many milliseconds.

    Raises:
      WorkflowTimeout: If it had not finished by then.
    """
    deadline = None if patience is None else time.monotonic() + patience / 1000
    signal = yield from EndSignal.from_now_on(
        store, workflow_id
    )  # before the state is read: nothing is missed
    while not (yield from _state(store, workflow_id)).finished:
        if deadline is not None and time.monotonic() >= deadline:
            raise WorkflowTimeout(f"workflow {workflow_id!r} hasn't finished after {patience} ms")
        yield from signal.waiting(deadline)
    return (yield from reading.status.talk(store, workflow_id))


@Told
def events(store: Store, workflow_id: str, since: str | datetime, *, follow: bool) -> Telling[Event, None]:
    """Tell a workflow's events; with ``follow``, until it has finished.

    Raises:
      ConfigurationError: If ``since`` is no place to begin at.
    """
    reader, seen = EventReader(store, workflow_id), position(since)
    while True:
        state = yield from _state(store, workflow_id)
        last_look = state.finished or not follow  # asked before reading, so nothing is missed
        last = yield from reader.reading(seen)
        if last_look:
            return
        if last is not None:
            seen = last.id
        if last is None or last.event != EventType.WORKFLOW_FINISHED:
            yield from reader.waiting(seen)
        # else it finished after it was asked: there is nothing to wait for


def _state(store: Store, workflow_id: str) -> Talk[WorkflowState]:
    _, state = yield from reading.summary.talk(store, workflow_id)
    return state
