"""``step.once`` while Redis is away: no call that can't be looked up, and no value lost that was paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dramatiq_baton import StoreUnavailable, Workflow, WorkflowRun, current_step
from dramatiq_baton.once import Once
from dramatiq_baton.store import calls
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.lab import Lab, Log
from tests.support.state_server import StateServer
from tests.support.world import World

IMPATIENT = "?socket_timeout=0.3&socket_connect_timeout=0.3"
KEPT = "Redis doesn't answer; kept until it does"


@pytest.fixture
def impatient_lab(split_world: World, state_server: StateServer, valkey_url: str) -> Iterator[Lab]:
    """A lab that doesn't wait long for an answer of its state server."""
    lab = Lab(split_world, broker_url=valkey_url, url=f"{state_server.url}{IMPATIENT}")
    yield lab
    lab.close()


@pytest.fixture
def impatient_hand(split_world: World, state_server: StateServer) -> Iterator[ByHand]:
    hand = ByHand(split_world, url=f"{state_server.url}{IMPATIENT}")
    yield hand
    hand.close()


def _started(world: World, hand: ByHand) -> tuple[WorkflowRun, Once]:
    flow = world.flow()
    flow.add("a", world.act())
    run = world.run(flow)
    return run, Once(hand.store, Address(run.id, "a"), hand.claim(run, "a").token, 1000)


def test_nothing_is_called_while_redis_cannot_be_asked(
    split_world: World, impatient_hand: ByHand, state_server: StateServer
) -> None:
    run, once = _started(split_world, impatient_hand)

    def call() -> None:
        raise AssertionError("called")

    async def call_async() -> None:
        raise AssertionError("called")

    state_server.stop()
    with pytest.raises(StoreUnavailable):
        once.call("k", call, (), {})
    with pytest.raises(StoreUnavailable):
        asyncio.run(once.call("k", call_async, (), {}))
    state_server.start()
    run.cancel()


def test_a_value_is_kept_until_redis_answers_and_a_time_limit_is_raised_behind_that(
    impatient_lab: Lab, state_server: StateServer, log: Log
) -> None:
    lab = impatient_lab

    def call() -> int:
        state_server.freeze()
        return lab.note("call")

    @lab.actor(time_limit=300)
    def work() -> int:
        step = current_step()
        assert step is not None
        got: int = step.once("k", call)
        lab.note("went on")
        return got

    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        log.wait(KEPT)
        log.wait("Time limit exceeded. Raising exception")
        state_server.thaw()
        run.wait(timeout=30_000)
    assert run.result("a") == 1
    assert lab.notes == ["call", "went on"]
    assert [event.event for event in run.events() if event.step] == [
        "executing",
        "retryable",
        "executing",
        "completed",
    ]


def test_an_awaiting_actor_that_is_cancelled_ends_when_the_value_is_stored(
    split_world: World, impatient_hand: ByHand, state_server: StateServer, log: Log
) -> None:
    run, once = _started(split_world, impatient_hand)

    async def call() -> str:
        state_server.freeze()
        return "paid"

    async def actor() -> None:
        task = asyncio.ensure_future(once.call("k", call, (), {}))
        await asyncio.to_thread(log.wait, KEPT)
        try:
            for _ in range(2):  # however often
                task.cancel()
                await asyncio.wait([task], timeout=0.05)
                assert not task.done()
        finally:
            state_server.thaw()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(actor())
    assert calls.read(once.store, once.address, "k")
    run.cancel()
