"""``run_async()`` on real workers: whoever sends the steps, they run."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowState
from tests.support.lab import Lab
from tests.support.world import World


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_runs_from_submission_to_its_last_event_without_blocking(
    world: World, dispatch: Any
) -> None:
    flow = world.flow()
    first = flow.add("first", world.act(["value", 20]))
    many = [flow.add(f"{number}", world.act(["inputs"], inputs=[first, number])) for number in range(60)]
    flow.add("last", world.act(["inputs"], inputs=many))
    world.worker  # noqa: B018 - starts it

    async def caller() -> list[str]:
        run = await flow.run_async(broker=world.broker, dispatch=dispatch)
        status = await run.wait_async(timeout=30_000)
        assert status.counts == {StepState.COMPLETED: 62}
        assert await run.result_async("last") == [[20, number] for number in range(60)]
        return [event.step async for event in run.events_async(follow=True) if event.event == "completed"]

    completed = asyncio.run(caller())
    assert (completed[0], completed[-1], len(completed)) == ("first", "last", 62)


def test_a_failed_workflow_is_resumed(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "not yet"], ["value", 1]))
    world.worker  # noqa: B018 - starts it

    async def caller() -> Any:
        run = await flow.run_async(broker=world.broker)
        assert (await run.wait_async(timeout=30_000)).state is WorkflowState.FAILED
        assert await run.retry_async() == 1
        assert (await run.wait_async(timeout=30_000)).state is WorkflowState.COMPLETED
        return await run.result_async("a")

    assert asyncio.run(caller()) == 1


def test_a_broker_that_blocks_is_sent_to_in_a_thread_in_which_middleware_sees_every_step(lab: Lab) -> None:
    @lab.actor
    def act() -> None: ...

    flow = Workflow("flow")
    for number in range(450):  # in several portions
        flow.add(f"{number}", act.message())
    enqueue, threads = lab.broker.enqueue, []

    def noting(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        return enqueue(*args, **options)

    lab.broker.enqueue = noting  # type: ignore[method-assign]

    async def caller() -> None:
        run = await flow.run_async(broker=lab.broker)
        assert len(lab.sent.messages) == 450
        assert await run.cancel_async() == 450
        assert await run.retry_async() == 450
        assert len(lab.sent.messages) == 900
        assert await run.cancel_async() == 450

    asyncio.run(caller())
    assert len(threads) == 900
    assert threading.main_thread() not in threads
