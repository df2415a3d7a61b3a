"""Somebody changes what is stored of a workflow, anywhere, to anything: every call answers or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dramatiq_baton import BatonError, Call, StepState, StoreError, Usage, Workflow, WorkflowRun
from dramatiq_baton.store import catalogue, reading, spending, steering, upkeep
from dramatiq_baton.store.calls import keep, read
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.streams import EventReader
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.support.by_hand import ByHand
from tests.support.world import World

ID = "mine"
#: What Baton keeps of a workflow: the keys whose values may be changed, by their endings.
HASHES = ("", ":steps", ":edges", ":state", ":results", ":once", ":usage")
#: Values that mean something somewhere, but not there.
TELLING = [
    b"",
    b"0",
    b"-1",
    b"1e400",
    b"nan",
    b"\xc0",
    b"\x90",
    b"\x80",
    b"\xdd\xff\xff\xff\xff",
    b"\x91" * 600,
    b"9" * 30,
]


@pytest.fixture(scope="module")
def world(valkey_url: str) -> Any:
    world = World(valkey_url)
    yield world
    world.close()


@pytest.fixture(scope="module")
def hand(world: World) -> Any:
    hand = ByHand(world, lease_ttl=1000)
    yield hand
    hand.close()


def halfway(world: World, hand: ByHand) -> WorkflowRun:
    """A workflow in which there is something of everything."""
    for key in world.keys("workflow:{*") + world.keys("index:*"):
        world.redis.delete(key)
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


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    ending=st.sampled_from(HASHES),
    field=st.integers(0, 30),
    value=st.one_of(st.sampled_from(TELLING), st.binary(max_size=60)),
    cut=st.booleans(),
)
@example(ending="", field=0, value=b"2", cut=False)
def test_whatever_a_value_is_changed_to_the_error_names_the_workflow(
    world: World, hand: ByHand, ending: str, field: int, value: bytes, cut: bool
) -> None:
    halfway(world, hand)
    raw = redis.Redis.from_url(world.url)
    key = f"{world.namespace}:workflow:{{{ID}}}{ending}"
    fields = sorted(raw.hkeys(key))
    changed = fields[field % len(fields)]
    whole = raw.hget(key, changed)
    assert whole is not None
    raw.hset(key, changed, whole[: len(value)] if cut else value)
    raw.close()
    for name, ask in everything(hand).items():
        error = said_by(ask)
        if error is not None:
            text = str(error)
            assert any(named in text for named in (ID, "'done'", "'next'", "'late'", "'last'")), (name, text)
            assert not isinstance(error, StoreError), (name, text)  # which tells of no remedy
            assert len(text) < 1000, (name, text)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    index=st.sampled_from(
        ["leases", "waiting", "spreading", "expiring", "workflows:executing", "workflows:failed"]
    ),
    member=st.one_of(
        st.sampled_from([b"", b"\x1f", b"mine\x1fnext\x1fx", b"\xff\xfe\x1fa\x1f1"]), st.binary(max_size=30)
    ),
    score=st.sampled_from([0, -1, 2**60, float("inf")]),
)
def test_whatever_stands_in_an_index_others_are_looked_after(
    world: World, hand: ByHand, index: str, member: bytes, score: float
) -> None:
    halfway(world, hand)
    raw = redis.Redis.from_url(world.url)
    raw.zadd(f"{world.namespace}:index:{index}", {member: score})
    raw.delete(f"{world.namespace}:index:rescue")
    raw.close()
    asked = everything(hand)
    for name in ("catalogue", "tidy"):
        assert said_by(asked[name]) is None
    due = upkeep.sweep(hand.store, who="w", alone_for=1, most=10)
    assert due is not None
