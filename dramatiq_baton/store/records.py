"""How steps are written down: what a step was added as, and its record. Both are msgpack.

The first object of a spec is read by Lua (``header()`` in ``lua/common.lua``), the rest by Python only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgpack

from ..codec import decode, encode
from ..errors import CorruptData
from ..graph import StepFlags, StepSpec
from ..states import StepState

#: Names of dependents kept together; as many as one script tells at a time.
LIST_LENGTH = 100

_STATES = tuple(StepState)  # in the order of the numbers in lua/common.lua


def pack_spec(spec: StepSpec, dependents: Sequence[str]) -> bytes:
    """Write ``spec`` down, with the first of its ``dependents``."""
    header = [
        spec.actor,
        spec.queue,
        len(spec.deps),
        int(spec.flags),
        -(-len(dependents) // LIST_LENGTH),
        list(dependents[:LIST_LENGTH]),
    ]
    rest = [
        spec.position,
        spec.message_id,
        list(spec.deps),
        encode([list(spec.args), spec.kwargs, spec.options], step=spec.name),
        [[list(path), dep] for path, dep in spec.refs],
    ]
    packed: bytes = msgpack.packb(header) + msgpack.packb(rest)
    return packed


def unpack_spec(name: str, packed: bytes) -> StepSpec:
    """Read what :func:`pack_spec` wrote.

    Raises:
      CorruptData: If it is anything else.
    """
    try:
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(packed)
        actor, queue, _dep_count, flags, _lists, _first = unpacker.unpack()
        position, message_id, deps, payload, refs = unpacker.unpack()
        args, kwargs, options = decode(payload)
        return StepSpec(
            name=name,
            actor=actor,
            queue=queue,
            flags=StepFlags(flags),
            deps=tuple(deps),
            position=position,
            message_id=message_id,
            args=tuple(args),
            kwargs=kwargs,
            options=options,
            refs=tuple((tuple(path), dep) for path, dep in refs),
        )
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise _corrupt("spec", name, error) from error


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What has become of a step, as far as Python needs to know."""

    state: StepState
    attempt: int
    started_at: int | None
    finished_at: int | None
    reason: str


#: What holds for a step that has no record yet.
UNTOUCHED = StepRecord(StepState.PENDING, 0, None, None, "")


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
        )
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise _corrupt("record", name, error) from error


def pack_names(names: Sequence[str]) -> bytes:
    """Write a list of names for Lua."""
    packed: bytes = msgpack.packb(list(names))
    return packed


def _corrupt(what: str, name: str, error: Exception) -> CorruptData:
    return CorruptData(
        f"the {what} of step {name!r} can't be read ({type(error).__name__}: {error}); "
        "another program may write to Baton's keys: give it another namespace"
    )
