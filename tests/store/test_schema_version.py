"""Data that a newer release wrote: refused with a clear word, and left exactly as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dramatiq_baton import ConfigurationError, StepState, WorkflowRun, get_run
from dramatiq_baton.rescue import Rescue
from dramatiq_baton.store import upkeep
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.support.by_hand import ByHand, send_message
from tests.support.world import World

A, B = "executing", "done"
TOKEN = 1


@pytest.fixture
def hasty(own_world: World) -> Iterator[ByHand]:
    """Whatever it does is overdue at once."""
    hand = ByHand(own_world, lease_ttl=0)
    yield hand
    hand.close()


@pytest.fixture
def newer(own_world: World, hasty: ByHand) -> WorkflowRun:
    """A workflow in the middle of its life, as a newer release would have written it."""
    flow = own_world.flow(id="newer")
    for name in (A, B, "queued", "snoozed"):
        flow.add(name, own_world.act())
    flow.add("pending", own_world.act(), deps=A)
    run = own_world.run(flow)
    hasty.claim(run, A)
    hasty.complete(run, B, 1)
    token = hasty.claim(run, "snoozed").token
    address = Address(run.id, "snoozed")
    hasty.store.defer(address, token, StepState.SNOOZED, delay=0, retries=0, worker="")
    own_world.redis.zadd(f"{own_world.namespace}:index:spreading", {run.id: 1})
    own_world.redis.hset(f"{own_world.namespace}:workflow:{{{run.id}}}", "v", "3")
    return run


def everything(world: World) -> dict[str, Any]:
    """All there is of the workflow, and the indexes."""
    indexes = {
        key: world.redis.zrange(key, 0, -1, withscores=True)
        for key in world.keys("index:*")
        if world.redis.type(key) == "zset"
    }
    return {**world.dump("newer"), **indexes}


READERS: dict[str, Callable[[World, WorkflowRun], Any]] = {
    "get_run": lambda world, run: get_run(run.id, world.broker),
    "status": lambda world, run: run.status(),
    "result of a completed step": lambda world, run: run.result(B),
    "result of another step": lambda world, run: run.result("queued"),
    "results": lambda world, run: run.results(),
    "wait": lambda world, run: run.wait(timeout=0),
    "events": lambda world, run: list(run.events()),
    "following events": lambda world, run: list(run.events(follow=True)),
    "to_mermaid": lambda world, run: run.to_mermaid(),
    "run of the same id": lambda world, run: world.run(_other(world)),
    "run of a large one of the same id": lambda world, run: world.run(_other(world, 300)),
}


def _other(world: World, steps: int = 1) -> Any:
    flow = world.flow(id="newer")
    for number in range(steps):
        flow.add(f"{number}", world.act())
    return flow


@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_whoever_asks_is_told_to_upgrade(
    own_world: World, newer: WorkflowRun, read: Callable[[World, WorkflowRun], Any]
) -> None:
    before = everything(own_world)
    with pytest.raises(ConfigurationError, match=r"'newer' was written by a newer release .*; upgrade"):
        read(own_world, newer)
    assert everything(own_world) == before


SCRIPTS: dict[str, Callable[[ByHand, WorkflowRun], Any]] = {
    "claim": lambda hand, run: hand.claim(run, "queued").word,
    "settle": lambda hand, run: hand.settle(run, A, TOKEN, StepState.COMPLETED).word,
    "defer": lambda hand, run: hand.store.defer(
        Address(run.id, A), TOKEN, StepState.QUEUED, delay=0, retries=0, worker=""
    ),
    "reject": lambda hand, run: hand.store.reject(Address(run.id, "queued"), 0, "").word,
    "spread": lambda hand, run: hand.store.spread(run.id).word,
    "expire": lambda hand, run: (
        upkeep.expire(hand.store, Lease(Address(run.id, A), TOKEN), max_rescues=9).word
    ),
    "resend a queued step": lambda hand, run: (
        upkeep.resend(hand.store, Overdue(Address(run.id, "queued"), "q")).word
    ),
    "resend a snoozed step": lambda hand, run: (
        upkeep.resend(hand.store, Overdue(Address(run.id, "snoozed"))).word
    ),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_no_script_touches_it(
    own_world: World, hasty: ByHand, newer: WorkflowRun, script: Callable[[ByHand, WorkflowRun], Any]
) -> None:
    before = everything(own_world)
    assert script(hasty, newer) in ("newer", None)
    assert everything(own_world) == before


def test_the_rescue_leaves_it_to_a_newer_one(own_world: World, hasty: ByHand, newer: WorkflowRun) -> None:
    before = everything(own_world)
    rescue = Rescue(hasty.store, own_world.broker, who="test", interval=50, max_rescues=3)
    rescue.look()
    rescue.look()
    assert everything(own_world) == before


def test_the_rescue_ends_its_round_though_much_is_not_for_it(own_world: World, hasty: ByHand) -> None:
    """More than it takes at a time is overdue and stays so: it must not look again at once for ever."""
    flow = own_world.flow(id="newer")
    for number in range(250):
        flow.add(f"{number}", own_world.act())
    run = own_world.run(flow)
    for number in range(250):
        hasty.claim(run, f"{number}")
    own_world.redis.hset(f"{own_world.namespace}:workflow:{{newer}}", "v", "3")
    before = everything(own_world)
    Rescue(hasty.store, own_world.broker, who="test", interval=50, max_rescues=3).look()
    assert everything(own_world) == before


def test_a_worker_drops_its_messages_and_says_why(own_world: World, newer: WorkflowRun) -> None:
    send_message(own_world, newer, "queued")
    before = own_world.dump("newer")
    with own_world.worker_running() as worker:
        log = worker.wait_log("a newer release wrote its workflow; upgrade this worker")
    assert "workflow='newer'" in log
    assert "Traceback" not in log
    assert own_world.dump("newer") == before
    assert own_world.notes(newer) == []
