"""Event loops: each has connections of its own, is never held up, and leaves none open."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from dramatiq_baton import StepState, WorkflowRun, WorkflowState
from tests.aio.conftest import NamedWorld
from tests.support.by_hand import ByHand
from tests.support.line import Command, Line
from tests.support.world import World


def start(world: World) -> WorkflowRun:
    flow = world.flow()
    flow.add("a", world.act())
    return world.run(flow)


def test_a_loop_that_ends_leaves_no_connection(named_world: NamedWorld, named_hand: ByHand) -> None:
    run = start(named_world)
    before = named_world.connections()

    async def caller() -> None:
        waiting = asyncio.create_task(run.wait_async())
        await asyncio.gather(*(run.status_async() for _ in range(50)))
        while "xread" not in named_world.connections():
            await asyncio.sleep(0)
        assert not waiting.done()

    for _ in range(3):
        asyncio.run(caller())
        while named_world.connections() != before:
            pass  # the server hears of it a little later


def test_one_loop_after_another_and_several_at_a_time_may_ask(own_world: World, by_hand: ByHand) -> None:
    run = start(own_world)

    async def caller() -> WorkflowState:
        assert (await run.status_async()).state is WorkflowState.EXECUTING
        both.wait()
        return (await run.wait_async()).state

    both = threading.Barrier(3)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(asyncio.run, caller()) for _ in range(2)]
        both.wait()
        by_hand.complete(run, "a")
        assert {future.result(30) for future in futures} == {WorkflowState.COMPLETED}
    assert asyncio.run(run.status_async()).counts == {StepState.COMPLETED: 1}


def test_a_slow_server_holds_up_no_other_task(valkey_url: str) -> None:
    """Each reply is held up until another task of the same loop has gone round a hundred times more."""
    rounds = 0
    loop_goes_on = threading.Condition()

    def answered(command: Command) -> None:
        if not held_up:
            return
        with loop_goes_on:
            goal = rounds + 100
            assert loop_goes_on.wait_for(lambda: rounds >= goal, 30), "the event loop stands still"

    async def go_round() -> None:
        nonlocal rounds
        while True:
            with loop_goes_on:
                rounds += 1
                loop_goes_on.notify_all()
            await asyncio.sleep(0)

    async def caller(world: World) -> None:
        other = asyncio.create_task(go_round())
        flow = world.flow()
        for number in range(300):
            flow.add(f"{number}", world.act(), delay=3_600_000)
        run = await flow.run_async(broker=world.broker)
        assert (await run.status_async()).total == 300
        assert len([event async for event in run.events_async()]) == 301
        assert await run.cancel_async() == 300
        assert (await run.wait_async()).state is WorkflowState.CANCELLED
        assert await run.retry_async() == 300
        assert await run.results_async() == {}
        assert await run.cancel_async() == 300
        other.cancel()

    held_up = True
    with Line(valkey_url, answered=answered) as line:
        world = World(valkey_url, BATON_TEST_STATE_URL=line.url)
        try:
            asyncio.run(caller(world))
            assert line.count("EVALSHA") > 5
        finally:
            held_up = False
            world.close()


def test_no_call_starts_a_thread_where_scripts_send(valkey_url: str) -> None:
    """With ``dramatiq_baton.brokers.RedisBroker`` nothing is left that blocks."""
    world = World(valkey_url)

    async def caller() -> None:
        before = threading.active_count()
        flow = world.flow()
        for number in range(40):
            flow.add(f"{number}", world.act())
        run = await flow.run_async(broker=world.broker)
        await run.status_async()
        await run.cancel_async()
        await run.retry_async()
        await run.cancel_async()
        await run.wait_async()
        assert [event async for event in run.events_async(follow=True)]
        assert threading.active_count() == before

    try:
        assert world.env["BATON_TEST_BROKER"] == "fast"
        asyncio.run(caller())
    finally:
        world.close()
