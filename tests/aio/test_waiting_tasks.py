"""Any number of tasks wait: on a few connections, without a thread, and each is woken by what it waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from dramatiq_baton import (
    CorruptData,
    StepState,
    WorkflowNotFound,
    WorkflowRun,
    WorkflowState,
    WorkflowStatus,
    WorkflowTimeout,
)
from dramatiq_baton.store.listener import STREAMS
from tests.aio.conftest import NamedWorld
from tests.support.by_hand import ByHand
from tests.support.line import Line
from tests.support.world import World

Waiter = asyncio.Task[WorkflowStatus]


def start(world: World) -> WorkflowRun:
    flow = world.flow()
    flow.add("a", world.act())
    return world.run(flow)


async def until_reads(line: Line, times: int) -> None:
    """Let the loop go on until it has asked so many times to be woken."""
    await asyncio.to_thread(line.wait_for, "XREAD", times=times)


async def waiting(line: Line, run: WorkflowRun, timeout: int | None = 60_000) -> Waiter:
    """A task in ``wait_async()``, once it has asked Redis to wake it."""
    before = line.count("XREAD")
    task = asyncio.create_task(run.wait_async(timeout))
    await until_reads(line, before + 1)
    return task


def test_a_finished_workflow_is_not_waited_for(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world)
    watched_hand.complete(run, "a")
    assert asyncio.run(run.wait_async()).state is WorkflowState.COMPLETED
    assert asyncio.run(run.wait_async(timeout=0)).state is WorkflowState.COMPLETED
    assert line.count("XREAD") == 0


@pytest.mark.parametrize("end", [StepState.COMPLETED, StepState.DISCARDED, StepState.CANCELLED])
def test_while_it_waits_it_asks_nothing_and_every_kind_of_end_wakes_it(
    line: Line, watched_world: World, watched_hand: ByHand, end: StepState
) -> None:
    run = start(watched_world)

    async def caller() -> None:
        task = await waiting(line, run)
        asked = len(line.commands)
        claim = await asyncio.to_thread(watched_hand.claim, run, "a")
        assert len(line.commands) == asked
        await asyncio.to_thread(watched_hand.settle, run, "a", claim.token, end)
        assert (await task).state.finished

    asyncio.run(caller())


def test_a_thousand_tasks_wait_on_a_few_connections_and_without_a_thread(
    named_world: NamedWorld, named_hand: ByHand
) -> None:
    runs = [start(named_world) for _ in range(250)]
    before = len(named_world.connections())

    async def caller() -> None:
        threads = threading.active_count()
        tasks = [asyncio.create_task(run.wait_async(60_000)) for run in runs for _ in range(4)]
        while (reads := named_world.connections().count("xread")) < 3:
            await asyncio.sleep(0)
        assert (reads, threading.active_count()) == (-(-len(runs) // STREAMS), threads)
        assert len(named_world.connections()) <= before + 3 + 8
        assert not any(task.done() for task in tasks)
        await asyncio.to_thread(lambda: [named_hand.complete(run, "a") for run in runs])
        assert {status.state for status in await asyncio.gather(*tasks)} == {WorkflowState.COMPLETED}

    asyncio.run(caller())


def test_one_who_comes_later_is_woken_too_and_the_others_wait_on(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    runs = [start(watched_world) for _ in range(5)]

    async def caller() -> None:
        tasks = [await waiting(line, run) for run in runs]
        for at in (3, 0, 4, 1, 2):
            assert not tasks[at].done()
            await asyncio.to_thread(watched_hand.complete, runs[at], "a")
            assert (await tasks[at]).id == runs[at].id

    asyncio.run(caller())


def test_several_tasks_may_wait_for_one_workflow(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world)

    async def caller() -> None:
        tasks = [await waiting(line, run)]
        asked = line.count("XREAD")
        tasks += [asyncio.create_task(run.wait_async()) for _ in range(5)]
        await asyncio.to_thread(line.wait_for, "HMGET", times=6)
        assert line.count("XREAD") == asked  # it is being read already
        await asyncio.to_thread(watched_hand.complete, run, "a")
        assert [status.state for status in await asyncio.gather(*tasks)] == [WorkflowState.COMPLETED] * 6

    asyncio.run(caller())


def test_a_time_that_is_over_ends_one_and_not_the_others(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run, other = start(watched_world), start(watched_world)

    async def caller() -> None:
        task = await waiting(line, run)
        with pytest.raises(WorkflowTimeout, match=rf"workflow '{run.id}' hasn't finished after 30 ms"):
            await run.wait_async(30)
        with pytest.raises(WorkflowTimeout, match=rf"workflow '{other.id}' hasn't finished after 30 ms"):
            await other.wait_async(30)
        await asyncio.to_thread(watched_hand.complete, run, "a")
        assert (await task).state is WorkflowState.COMPLETED

    asyncio.run(caller())


def test_a_task_that_is_cancelled_ends_and_not_the_others(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world)

    async def caller() -> None:
        one, other = await waiting(line, run), asyncio.create_task(run.wait_async())
        await asyncio.to_thread(line.wait_for, "HMGET", times=2)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        await asyncio.to_thread(watched_hand.complete, run, "a")
        assert (await other).state is WorkflowState.COMPLETED

    asyncio.run(caller())


def test_a_stream_that_another_program_has_overwritten_fails_only_who_waits_for_it(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run, other = start(watched_world), start(watched_world)
    key = f"{watched_world.namespace}:workflow:{{{other.id}}}:ends"

    async def caller() -> None:
        # The first read ends when the second one begins, and only then does the server look at the key again.
        spoilt = await waiting(line, other)
        await asyncio.to_thread(watched_world.redis.set, key, "not a stream")
        task = asyncio.create_task(run.wait_async())
        with pytest.raises(CorruptData, match=f"{other.id}.*holds what Baton didn't write"):
            await spoilt
        await asyncio.to_thread(watched_hand.complete, run, "a")
        assert (await task).state is WorkflowState.COMPLETED

    asyncio.run(caller())


def test_a_workflow_that_goes_while_it_is_waited_for_is_not_waited_for_in_vain(
    line: Line, watched_world: World
) -> None:
    run = start(watched_world)

    async def caller() -> None:
        task = await waiting(line, run, 1_000)
        for key in watched_world.keys(f"workflow:{{{run.id}}}*"):
            watched_world.redis.delete(key)
        with pytest.raises(WorkflowNotFound):
            await task

    asyncio.run(caller())


STORY = [":workflow_started", "a:executing", "a:completed", ":workflow_finished"]


def test_events_come_as_they_happen_and_end_with_the_workflow(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world)

    async def caller() -> None:
        story = run.events_async(follow=True)
        seen = [await anext(story)]
        following = asyncio.ensure_future(anext(story))
        await asyncio.to_thread(
            line.wait_for, "XREAD", times=3
        )  # what there is, that there is no more, and it waits
        asked = len(line.commands)
        assert line.commands[-1].count(b"BLOCK") == 1
        claim = await asyncio.to_thread(watched_hand.claim, run, "a")
        seen.append(await following)
        await asyncio.to_thread(watched_hand.settle, run, "a", claim.token, StepState.COMPLETED)
        seen += [event async for event in story]
        assert [f"{event.step}:{event.event}" for event in seen] == STORY
        assert len(line.commands) < asked + 15

    asyncio.run(caller())


def test_many_follow_many_workflows_and_nobody_misses_anything(
    named_world: NamedWorld, named_hand: ByHand
) -> None:
    runs = [start(named_world) for _ in range(30)]

    async def story_of(run: WorkflowRun) -> list[str]:
        return [f"{event.step}:{event.event}" async for event in run.events_async(follow=True)]

    async def caller() -> list[list[str]]:
        tasks = [asyncio.create_task(story_of(run)) for run in runs * 2]
        await asyncio.to_thread(lambda: [named_hand.complete(run, "a") for run in runs])
        return await asyncio.gather(*tasks)

    assert asyncio.run(caller()) == [STORY] * 60
