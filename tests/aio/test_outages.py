"""A server that goes away says so in every call, and the calls after it has come back find it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from dramatiq_baton import StoreUnavailable, Workflow, WorkflowRun, WorkflowState, get_run_async
from tests.support.by_hand import ByHand
from tests.support.lab import Lab
from tests.support.state_server import StateServer
from tests.support.world import World


@pytest.fixture
def run(split_lab: Lab) -> WorkflowRun:
    return split_lab.run(flow(split_lab))


def flow(lab: Lab) -> Workflow:
    flow = Workflow("flow")
    actor = lab.broker.actors.get("act") or lab.actor(_act, actor_name="act")
    flow.add("a", actor.message())
    return flow


def _act() -> None: ...


CALLS: dict[str, Callable[[Lab, WorkflowRun], Coroutine[Any, Any, Any]]] = {
    "status": lambda lab, run: run.status_async(),
    "results": lambda lab, run: run.results_async(),
    "wait": lambda lab, run: run.wait_async(),
    "cancel": lambda lab, run: run.cancel_async(),
    "get_run": lambda lab, run: get_run_async(run.id, lab.broker),
    "run": lambda lab, run: flow(lab).run_async(broker=lab.broker),
}


def test_every_call_says_that_it_is_away_and_works_when_it_is_back(
    split_lab: Lab, run: WorkflowRun, state_server: StateServer
) -> None:
    async def caller() -> None:
        await run.status_async()
        state_server.stop()
        for call in CALLS.values():
            with pytest.raises(StoreUnavailable, match="doesn't answer"):
                await call(split_lab, run)
        await asyncio.to_thread(state_server.start)
        assert (await run.status_async()).total == 1
        assert await run.cancel_async() == 1

    asyncio.run(caller())


def test_an_idle_connection_that_the_server_closed_is_not_used(
    split_lab: Lab, run: WorkflowRun, state_server: StateServer
) -> None:
    async def caller() -> None:
        await asyncio.gather(*(run.status_async() for _ in range(20)))  # every connection there may be
        state_server.stop()
        state_server.start()  # while the loop stands still: it has heard of nothing
        for _ in range(20):
            assert (await run.status_async()).state is WorkflowState.EXECUTING
        assert await run.cancel_async() == 1

    asyncio.run(caller())


@pytest.mark.parametrize("wait", ["wait", "follow"])
def test_everybody_who_waits_hears_that_it_went_away_and_may_wait_again(
    split_lab: Lab, run: WorkflowRun, state_server: StateServer, wait: str
) -> None:
    async def follow() -> int:
        return len([event async for event in run.events_async(follow=True)])

    def begin() -> asyncio.Task[Any]:
        return asyncio.create_task(run.wait_async() if wait == "wait" else follow())

    async def caller() -> None:
        tasks = [begin() for _ in range(3)]
        await _until_read(run)
        state_server.stop()
        for task in tasks:
            with pytest.raises(StoreUnavailable):
                await task
        await asyncio.to_thread(state_server.start)
        again = begin()
        await _until_read(run)
        await asyncio.to_thread(_complete, split_lab, run)
        assert await again

    asyncio.run(caller())


async def _until_read(run: WorkflowRun) -> None:
    """Let the loop go on until a connection blocks."""
    store = run._runtime.store
    while b"cmd=xread" not in await asyncio.to_thread(store.connections.ask, "CLIENT", "LIST"):
        await asyncio.sleep(0)


def _complete(lab: Lab, run: WorkflowRun) -> None:
    hand = ByHand(lab.world)
    hand.complete(run, "a")
    hand.close()


def test_a_server_that_does_not_answer_in_time_is_away(
    split_world: World, state_server: StateServer, valkey_url: str
) -> None:
    lab = Lab(split_world, url=f"{state_server.url}?socket_timeout=0.2", broker_url=valkey_url)

    async def caller() -> None:
        run = await flow(lab).run_async(broker=lab.broker)
        state_server.freeze()
        with pytest.raises(StoreUnavailable, match=r"doesn't answer: no reply within 0\.2 s"):
            await run.status_async()
        state_server.thaw()
        assert (await run.status_async()).total == 1
        assert await run.cancel_async() == 1

    asyncio.run(caller())
    lab.close()
