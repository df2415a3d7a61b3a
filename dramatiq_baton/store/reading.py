"""Reading workflows: status, specs, results. Nothing here changes anything.

All of it are talks: see ``talks.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import CorruptData, UnknownStep, WorkflowNotFound
from ..graph import StepSpec
from ..money import from_units
from ..states import StepState, StepStatus, WorkflowState, WorkflowStatus
from .records import (
    UNTOUCHED,
    Outline,
    StepRecord,
    damaged_spec,
    unpack_outline,
    unpack_record,
    unpack_spec,
)
from .replies import StoredResult, newer_schema, stored_result_from, text
from .store import Store
from .talks import Ask, Pause, Spoken, Talk, Tell, Telling, Told

#: The versions of the layout that this release reads; see :mod:`.submission`.
READABLE = (b"1", b"2")
#: Up to this many steps a status is read, and made, at one go; a larger one in portions.
AT_ONCE = 500
#: Entries that are read in one command.
PORTION = 250
#: Characters of an unknown id that its error repeats.
LONGEST_SHOWN = 80


@Spoken
def status(store: Store, workflow_id: str) -> Talk[WorkflowStatus]:
    """Read a workflow as it is now.

    A workflow of more than 500 steps is read in portions, so that the server is never held up: its
    steps may then be a little newer than its ``state``.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    reply = yield from store.running("snapshot", workflow_id, AT_ONCE)
    if not reply:
        raise not_found(workflow_id)
    fields = _pairs(reply[0])
    if b"v" not in fields:
        raise damaged(store, workflow_id, KeyError("v"))
    _check_version(workflow_id, fields[b"v"])
    if len(reply) == 3:
        specs, records = _pairs(reply[1]), _pairs(reply[2])
    else:
        workflow = store.keys.workflow(workflow_id)
        specs = yield from whole_hash(f"{workflow}:steps")
        records = yield from whole_hash(f"{workflow}:state")
        yield from summary.talk(store, workflow_id)  # it may have been pruned meanwhile
    try:
        outlines = yield from _outlines(store, workflow_id, specs)
        return (yield from _status(workflow_id, fields, outlines, records))
    except (KeyError, ValueError) as error:
        raise damaged(store, workflow_id, error) from error


def _outlines(store: Store, workflow_id: str, specs: dict[bytes, bytes]) -> Talk[dict[bytes, Outline]]:
    outlines = {}
    for number, (key, packed) in enumerate(specs.items(), start=1):
        name = text(key)
        outline = unpack_outline(name, packed)
        if outline is None:
            outline = unpack_outline(name, packed + (yield from _body(store, workflow_id, name)))
        if outline is None:
            raise damaged_spec(name)
        outlines[key] = outline
        if number % AT_ONCE == 0:
            yield Pause()
    return outlines


def _body(store: Store, workflow_id: str, step: str) -> Talk[bytes]:
    body: bytes | None = yield Ask("HGET", f"{store.keys.workflow(workflow_id)}:edges", f"body:{step}")
    return body or b""


def _status(
    workflow_id: str, fields: dict[bytes, bytes], specs: dict[bytes, Outline], records: dict[bytes, bytes]
) -> Talk[WorkflowStatus]:
    steps = []
    for number, (key, spec) in enumerate(specs.items(), start=1):
        name = text(key)
        record = unpack_record(name, records[key]) if key in records else UNTOUCHED
        step = StepStatus(
            name=name,
            state=record.state,
            actor=spec.actor,
            queue=spec.queue,
            attempt=record.attempt,
            deps=spec.deps,
            reason=record.reason,
            started_at=record.started_at,
            finished_at=record.finished_at,
        )
        steps.append((spec.position, step))
        if number % AT_ONCE == 0:
            yield Pause()
    steps.sort(key=lambda pair: pair[0])
    counts = {state: int(fields.get(f"n:{state}".encode(), 0)) for state in StepState}
    finished = fields.get(b"finished")
    return WorkflowStatus(
        id=workflow_id,
        name=text(fields[b"name"]),
        state=WorkflowState(text(fields[b"state"])),
        total=int(fields[b"total"]),
        counts={state: count for state, count in counts.items() if count},
        steps={step.name: step for _, step in steps},
        created_at=int(fields[b"created"]),
        started_at=int(fields.get(b"started", fields[b"created"])),  # 0.1.0 wrote none
        finished_at=int(finished) if finished else None,
        cost=from_units(int(fields[b"spent"])) if b"spent" in fields else None,
    )


@Spoken
def summary(store: Store, workflow_id: str) -> Talk[tuple[str, WorkflowState]]:
    """Read a workflow's name and state only.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    version, name, state = yield Ask("HMGET", store.keys.workflow(workflow_id), "v", "name", "state")
    if version is None:
        raise not_found(workflow_id)
    _check_version(workflow_id, version)
    try:
        return text(name), WorkflowState(text(state))
    except (AttributeError, ValueError) as error:
        raise damaged(store, workflow_id, error) from error


@Spoken
def record(store: Store, workflow_id: str, step: str) -> Talk[StepRecord]:
    """Read what has become of a step.

    Raises:
      UnknownStep: If the workflow has no such step.
    """
    packed = yield Ask("HGET", f"{store.keys.workflow(workflow_id)}:state", step)
    if packed is None:
        yield from spec.talk(store, workflow_id, step)
        return UNTOUCHED
    return unpack_record(step, packed)


@Spoken
def spec(store: Store, workflow_id: str, step: str) -> Talk[StepSpec]:
    """Read what a step was added as.

    Raises:
      UnknownStep: If the workflow has no such step, or there is no such workflow.
    """
    packed = yield Ask("HGET", f"{store.keys.workflow(workflow_id)}:steps", step)
    if packed is None:
        raise UnknownStep(f"workflow {workflow_id!r} has no step {step!r}")
    if unpack_outline(step, packed) is None:
        packed += yield from _body(store, workflow_id, step)
    return unpack_spec(step, packed)


@Told
def results(store: Store, workflow_id: str, steps: Sequence[str]) -> Telling[tuple[str, StoredResult], None]:
    """Read the encoded results of some steps, in portions."""
    for start in range(0, len(steps), PORTION):
        portion = steps[start : start + PORTION]
        replies = yield from store.running("results", workflow_id, *portion)
        for found in zip(portion, map(stored_result_from, replies), strict=True):
            yield Tell(found)


@Told
def all_results(store: Store, workflow_id: str) -> Telling[tuple[str, bytes], None]:
    """Read all encoded results of a workflow, in portions and in no particular order.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    yield from summary.talk(store, workflow_id)
    cursor = b"0"
    while True:
        cursor, pairs = yield from _portion(f"{store.keys.workflow(workflow_id)}:results", cursor)
        for step, data in pairs.items():
            yield Tell((text(step), data))
        if cursor == b"0":
            return


def not_found(workflow_id: object) -> WorkflowNotFound:
    """The error for an unknown id, of which no more is said again than a reader needs."""
    shown = repr(workflow_id)
    if isinstance(workflow_id, str) and len(workflow_id) > LONGEST_SHOWN:
        shown = f"{workflow_id[:LONGEST_SHOWN]!r}... of {len(workflow_id):,} characters"
    return WorkflowNotFound(
        f"there is no workflow {shown}: check the id and the namespace; "
        "finished workflows go when their retention is over"
    )


def damaged(store: Store, workflow_id: str, error: Exception) -> CorruptData:
    """The error for a workflow whose own hash isn't what Baton wrote there."""
    return CorruptData(
        f"workflow {workflow_id!r} lacks data ({error!r}); another program may write to the key "
        f"{store.keys.workflow(workflow_id)!r}"
    )


def _check_version(workflow_id: str, version: bytes) -> None:
    if version not in READABLE:
        raise newer_schema(workflow_id)


def whole_hash(key: str) -> Talk[dict[bytes, bytes]]:
    """Read all fields of a hash, in portions."""
    cursor, whole = yield from _portion(key, b"0")
    while cursor != b"0":
        cursor, pairs = yield from _portion(key, cursor)
        whole |= pairs
    return whole


def _portion(key: str, cursor: bytes) -> Talk[tuple[bytes, dict[bytes, bytes]]]:
    cursor, flat = yield Ask("HSCAN", key, cursor, "COUNT", PORTION)
    return cursor, _pairs(flat)


def _pairs(flat: Sequence[Any]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
