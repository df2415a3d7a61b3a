"""A workflow as it lies in Redis, read past all of the product's code but the names of the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgpack
import redis

from dramatiq_baton.states import StepState
from dramatiq_baton.store.keys import Keys

QUEUES = ("q1", "q2")


@dataclass(frozen=True)
class Picture:
    """What the keys of a workflow hold. The fields of a record are those of ``lua/shared/steps.lua``."""

    open: int
    counts: dict[StepState, int]
    records: dict[str, list[Any]]
    states: dict[str, StepState]
    results: dict[str, bytes]
    events: list[tuple[str, str]]
    leases: set[str]
    waiting: set[str]
    queued: dict[str, set[str]]


def picture(client: redis.Redis, keys: Keys, workflow_id: str) -> Picture:
    workflow, index = keys.workflow(workflow_id), keys.index
    ask = client.pipeline(transaction=False)
    ask.hgetall(workflow).hgetall(f"{workflow}:state").hgetall(f"{workflow}:results")
    ask.xrange(f"{workflow}:events")
    for name in ("leases", "waiting", *(f"queued:{queue}" for queue in QUEUES)):
        ask.zrange(f"{index}:{name}", 0, -1)
    fields, packed, results, stream, leases, waiting, *queued = ask.execute()
    counts = {state: int(fields.get(b"n:" + state.encode(), 0)) for state in StepState}
    records = {name.decode(): msgpack.unpackb(record) for name, record in packed.items()}
    return Picture(
        open=int(fields[b"open"]),
        counts={state: count for state, count in counts.items() if count},
        records=records,
        states={name: list(StepState)[record[0]] for name, record in records.items()},
        results={name.decode(): result for name, result in results.items()},
        events=[(entry[b"step"].decode(), _story(entry)) for _, entry in stream],
        leases=_text(leases),
        waiting=_text(waiting),
        queued={queue: _text(members) for queue, members in zip(QUEUES, queued, strict=True)},
    )


def _text(members: list[bytes]) -> set[str]:
    return {member.decode() for member in members}


def _story(entry: dict[bytes, bytes]) -> str:
    return "cached" if b"cached" in entry else entry[b"event"].decode()
