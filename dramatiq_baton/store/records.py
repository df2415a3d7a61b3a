"""How steps are written down: what a step was added as, and its record. Both are msgpack.

A spec is a header, which every script about the step reads, and a body, of which its message is made (``header()``
and ``body()`` in ``lua/shared/steps.lua``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from ..codec import decode, encode
from ..errors import CorruptData
from ..graph import Content, Json, StepFlags, StepSpec
from ..states import StepState

#: Names of dependents kept together; as many as one script tells at a time.
LIST_LENGTH = 100
#: A longer body is kept apart from its header, so that telling a step with 10,000 deps of one reads no names.
LONGEST_BODY = 4096

#: What holds for a spec whose header ends before its delay, lane and quorum. 0.1.0 knows of none of them, and doesn't
#: read a header that goes on.
_UNWRITTEN: tuple[Any, ...] = (0, "", 0)

_as_json = json.JSONEncoder(separators=(",", ":")).encode
_STATES = tuple(StepState)  # in the order of the numbers in lua/shared/steps.lua


def pack_spec(spec: StepSpec, dependents: Sequence[str]) -> tuple[bytes, bytes]:
    """Write ``spec`` down, with the first of its ``dependents``.

    Returns:
      The value for ``:steps``, and what is to be kept apart, because it is long; mostly empty.
    """
    encoded = isinstance(spec.content, Json)
    lists = -(-len(dependents) // LIST_LENGTH)
    first = dependents[:LIST_LENGTH]
    header = [spec.actor, spec.queue, len(spec.deps), int(spec.flags), lists, first, int(encoded)]
    if (more := (spec.delay, spec.lane, spec.quorum)) != _UNWRITTEN:
        header += more
    packed = _pack([spec.message_id, *_written(spec)]) + _pack([spec.position, spec.deps])
    return (_pack(header) + packed, b"") if len(packed) <= LONGEST_BODY else (_pack(header), packed)


def _written(spec: StepSpec) -> tuple[Any, ...]:
    if isinstance(spec.content, Json):
        refs = _as_json(spec.refs) if spec.refs else ""
        return (*spec.content, refs)
    return encode(list(spec.content), step=spec.name), "", spec.refs


def unpack_spec(name: str, packed: bytes) -> StepSpec:
    """Read what :func:`pack_spec` wrote, both parts of it.

    Raises:
      CorruptData: If it is anything else.
    """
    try:
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(packed)
        actor, queue, _dep_count, flags, _lists, _first, encoded, *more = unpacker.unpack()
        more += _UNWRITTEN[len(more) :]
        delay, lane, quorum = more
        message_id, content, options, refs = unpacker.unpack()
        position, deps = unpacker.unpack()
        found = Json(content, options) if encoded else Content(*decode(content))
        if isinstance(found, Json):
            found.decoded()
            refs = json.loads(refs or "[]")
        return StepSpec(
            name=name,
            actor=actor,
            queue=queue,
            flags=StepFlags(flags),
            deps=tuple(deps),
            position=position,
            message_id=message_id,
            content=found,
            refs=tuple((tuple(path), dep) for path, dep in refs),
            delay=delay,
            lane=lane,
            quorum=quorum,
        )
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise _corrupt("spec", name, error) from error


@dataclass(frozen=True, slots=True)
class Outline:
    """As much of a spec as a status shows."""

    actor: str
    queue: str
    deps: tuple[str, ...]
    position: int


def unpack_outline(name: str, packed: bytes) -> Outline | None:
    """Read a part of what :func:`pack_spec` wrote; ``None`` if what is kept apart is missing.

    Raises:
      CorruptData: If it is anything else.
    """
    try:
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(packed)
        header = unpacker.unpack()
        try:
            unpacker.skip()
            position, deps = unpacker.unpack()
        except msgpack.OutOfData:
            return None
        return Outline(header[0], header[1], tuple(deps), position)
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise _corrupt("spec", name, error) from error


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What has become of a step, as far as Python needs to know."""

    state: StepState
    attempt: int
    started_at: int | None
    finished_at: int | None
    reason: str
    void: int  #: executions with a token up to this one were called off
    interrupt: bool  #: they are to be interrupted


#: What holds for a step that has no record yet.
UNTOUCHED = StepRecord(StepState.PENDING, 0, None, None, "", 0, False)
#: A bit of a record's flags; the others are those of a step.
_INTERRUPT = 16


def damaged_spec(name: str) -> CorruptData:
    """The error for a spec of which a part is missing."""
    return _corrupt("spec", name, ValueError("a part of it is missing"))


def unpack_record(name: str, packed: bytes) -> StepRecord:
    """Read a record that a script wrote.

    Raises:
      CorruptData: If it is anything else.
    """
    try:
        fields = msgpack.unpackb(packed, unicode_errors="replace")
        return StepRecord(
            state=_STATES[fields[0]],
            attempt=fields[2],
            started_at=fields[8] or None,
            finished_at=fields[9] or None,
            reason=fields[10],
            void=fields[15] if len(fields) > 15 else 0,  # 0.1.0 wrote none
            interrupt=bool(fields[14] & _INTERRUPT),
        )
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise _corrupt("record", name, error) from error


def unpack_result(workflow_id: str, step: str, packed: bytes) -> Any:
    """Read a result.

    Raises:
      CorruptData: If it is none.
    """
    return decode(packed, what=f"the result of step {step!r} of workflow {workflow_id!r}")


def pack_names(names: Sequence[str]) -> bytes:
    """Write a list of names for Lua."""
    return _pack(names)


def _pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed


def _corrupt(what: str, name: str, error: Exception) -> CorruptData:
    return CorruptData(
        f"the {what} of step {name!r} can't be read ({type(error).__name__}: {error}); "
        "another program may write to Baton's keys: give it another namespace"
    )
