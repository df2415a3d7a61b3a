"""A workflow in which there is something of everything, and all that anybody may ask about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import redis

from dramatiq_baton import BatonError, Call, StepState, Usage, Workflow, WorkflowRun
from dramatiq_baton.store import catalogue, handle, reading, spending, steering, upkeep
from dramatiq_baton.store.calls import keep, read
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.streams import EventReader
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.support.by_hand import ByHand
from tests.support.world import World

ID = "mine"
#: What Baton keeps of a workflow: the keys whose values may be changed, by their endings.
HASHES = ("", ":steps", ":edges", ":state", ":results", ":once", ":usage")


def clear(world: World) -> None:
    """Delete all keys, also those whose names aren't text: some are made of what was changed."""
    with redis.Redis.from_url(world.url) as raw:
        for key in list(raw.scan_iter(f"{world.namespace}:*", count=1000)):
            raw.delete(key)


def halfway(world: World, hand: ByHand) -> WorkflowRun:
    """A workflow in which there is something of everything."""
    clear(world)
    flow = Workflow("flow", id=ID, budget=Decimal(5))
    done = flow.add("done", world.act())
    flow.add("next", world.act(inputs=[done]))
    flow.add("late", world.act(), delay=60_000)
    flow.add("last", world.act(), deps=["next", "late"])
    run = world.run(flow)
    hand.complete(run, "done", {"a": [1, None]})
    token = hand.claim(run, "next").token
    keep(hand.store, Address(ID, "next"), token, "k", b"p\xc0")
    spending.note(hand.store, ID, "one", Call("next", 1, 1, Usage("m", 1, 1), Decimal(1)))
    return run


def everything(hand: ByHand) -> dict[str, Callable[[], Any]]:
    """All that anybody asks about a workflow: callers, operators, workers, the rescue."""
    store, next_, late = hand.store, Address(ID, "next"), Address(ID, "late")
    claim: dict[str, Any] = {"seq": 9, "delay": 1, "max_rescues": 3, "worker": "w", "wanted": ["done"]}
    return {
        "status": lambda: reading.status(store, ID),
        "summary": lambda: reading.summary(store, ID),
        "record": lambda: reading.record(store, ID, "next"),
        "spec": lambda: reading.spec(store, ID, "next"),
        "results": lambda: list(reading.results(store, ID, ["done", "next"])),
        "all results": lambda: list(reading.all_results(store, ID)),
        "result": lambda: handle.result(store, ID, "done"),
        "usage": lambda: spending.report(store, ID),
        "events": lambda: list(EventReader(store, ID).read()),
        "catalogue": lambda: list(catalogue.entries(store)),
        "tidy": lambda: catalogue.tidy(store, most=10),
        "once": lambda: read(store, next_, "k"),
        "sweep": lambda: upkeep.sweep(store, who="w", alone_for=1, most=10),
        "renew": lambda: upkeep.renew(store, [Lease(next_, 1)]),
        "claim": lambda: store.claim(next_, holder="x", **claim),
        "defer": lambda: store.defer(next_, 1, StepState.RETRYABLE, delay=1, retries=1, worker="w"),
        "expire": lambda: upkeep.expire(store, Lease(next_, 1), max_rescues=3),
        "resend": lambda: upkeep.resend(store, Overdue(late)),
        "spread": lambda: store.spread(ID),
        "settle": lambda: store.settle(next_, 1, StepState.COMPLETED, worker="w", result=b"\xc0"),
        "cancel": lambda: steering.cancel(store, ID, "", interrupt=False),
        "retry": lambda: steering.begin_retry(store, ID),
        "prune": lambda: steering.prune(store, ID, finished_before=2**50),
    }


def said_by(ask: Callable[[], Any]) -> BatonError | None:
    """What somebody is told who asks; nothing if there is an answer."""
    try:
        ask()
    except BatonError as error:
        return error
    return None


def values_of(world: World, raw: redis.Redis) -> Iterator[tuple[str, bytes]]:
    """Every value that is stored of the workflow, as its hash and field."""
    for ending in HASHES:
        key = f"{world.namespace}:workflow:{{{ID}}}{ending}"
        for field in sorted(raw.hkeys(key)):
            yield key, field
