"""Reading workflows: status, specs, results. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

#: The versions of the layout that this release reads; see :mod:`.submission`.
READABLE = (b"1", b"2")
#: Up to this many steps a status is read at one instant; a larger one in portions.
AT_ONCE = 500
#: Entries that are read in one command.
PORTION = 250
#: Characters of an unknown id that its error repeats.
LONGEST_SHOWN = 80


def status(store: Store, workflow_id: str) -> WorkflowStatus:
    """Read a workflow as it is now.

    A workflow of more than 500 steps is read in portions, so that the server is never held up: its
    steps may then be a little newer than its ``state``.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    reply = store.run("snapshot", workflow_id, AT_ONCE)
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
        specs = dict(scan(store, f"{workflow}:steps"))
        records = dict(scan(store, f"{workflow}:state"))
        summary(store, workflow_id)  # it may have been pruned meanwhile
    try:
        return _status(workflow_id, fields, _outlines(store, workflow_id, specs), records)
    except (KeyError, ValueError) as error:
        raise damaged(store, workflow_id, error) from error


def _outlines(store: Store, workflow_id: str, specs: dict[bytes, bytes]) -> dict[bytes, Outline]:
    outlines = {}
    for key, packed in specs.items():
        name = text(key)
        outline = unpack_outline(name, packed)
        if outline is None:
            outline = unpack_outline(name, packed + _body(store, workflow_id, name))
        if outline is None:
            raise damaged_spec(name)
        outlines[key] = outline
    return outlines


def _body(store: Store, workflow_id: str, step: str) -> bytes:
    body: bytes | None = store.connections.ask(
        "HGET", f"{store.keys.workflow(workflow_id)}:edges", f"body:{step}"
    )
    return body or b""


def _status(
    workflow_id: str, fields: dict[bytes, bytes], specs: dict[bytes, Outline], records: dict[bytes, bytes]
) -> WorkflowStatus:
    steps = []
    for key, spec in specs.items():
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


def summary(store: Store, workflow_id: str) -> tuple[str, WorkflowState]:
    """Read a workflow's name and state only.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    version, name, state = store.connections.ask(
        "HMGET", store.keys.workflow(workflow_id), "v", "name", "state"
    )
    if version is None:
        raise not_found(workflow_id)
    _check_version(workflow_id, version)
    try:
        return text(name), WorkflowState(text(state))
    except (AttributeError, ValueError) as error:
        raise damaged(store, workflow_id, error) from error


def record(store: Store, workflow_id: str, step: str) -> StepRecord:
    """Read what has become of a step.

    Raises:
      UnknownStep: If the workflow has no such step.
    """
    packed = store.connections.ask("HGET", f"{store.keys.workflow(workflow_id)}:state", step)
    if packed is None:
        spec(store, workflow_id, step)
        return UNTOUCHED
    return unpack_record(step, packed)


def spec(store: Store, workflow_id: str, step: str) -> StepSpec:
    """Read what a step was added as.

    Raises:
      UnknownStep: If the workflow has no such step, or there is no such workflow.
    """
    packed = store.connections.ask("HGET", f"{store.keys.workflow(workflow_id)}:steps", step)
    if packed is None:
        raise UnknownStep(f"workflow {workflow_id!r} has no step {step!r}")
    if unpack_outline(step, packed) is None:
        packed += _body(store, workflow_id, step)
    return unpack_spec(step, packed)


def results(store: Store, workflow_id: str, steps: Sequence[str]) -> Iterator[tuple[str, StoredResult]]:
    """Read the encoded results of some steps, in portions."""
    for start in range(0, len(steps), PORTION):
        portion = steps[start : start + PORTION]
        replies = store.run("results", workflow_id, *portion)
        yield from zip(portion, map(stored_result_from, replies), strict=True)


def all_results(store: Store, workflow_id: str) -> Iterator[tuple[str, bytes]]:
    """Read all encoded results of a workflow, in portions and in no particular order."""
    for step, data in scan(store, f"{store.keys.workflow(workflow_id)}:results"):
        yield text(step), data


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


def scan(store: Store, key: str) -> Iterator[tuple[bytes, bytes]]:
    """Read all fields of a hash, in portions; one that is written meanwhile may come twice."""
    cursor = b"0"
    while True:
        cursor, flat = store.connections.ask("HSCAN", key, cursor, "COUNT", PORTION)
        yield from _pairs(flat).items()
        if cursor == b"0":
            return


def _pairs(flat: Sequence[Any]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
