"""``wait()``: woken by the end of the workflow, and quiet until then."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from dramatiq_baton import (
    BatonError,
    ConfigurationError,
    WorkflowNotFound,
    WorkflowRun,
    WorkflowState,
    WorkflowStatus,
    WorkflowTimeout,
)
from tests.support.by_hand import ByHand
from tests.support.line import Line
from tests.support.world import World


def start(world: World, *steps: str) -> WorkflowRun:
    flow = world.flow()
    for name in steps:
        flow.add(name, world.act())
    return world.run(flow)


def waiting(pool: ThreadPoolExecutor, line: Line, run: WorkflowRun) -> Future[WorkflowStatus]:
    """A thread in ``wait()``, once it has asked Redis to wake it."""
    before = line.count("XREAD")
    future = pool.submit(run.wait, 60_000)
    line.wait_for("XREAD", times=before + 1)
    return future


def test_it_gives_the_status_at_the_end(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["value", 1]))
    world.worker  # noqa: B018 - starts it
    run = world.run(flow)
    status = run.wait(timeout=timedelta(seconds=30))
    assert status == run.status()
    assert status.state is WorkflowState.COMPLETED


def test_a_finished_workflow_is_not_waited_for(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world, "a")
    watched_hand.complete(run, "a")
    assert run.wait().state is WorkflowState.COMPLETED
    assert run.wait(timeout=0).state is WorkflowState.COMPLETED
    assert line.count("XREAD") == 0


def test_while_it_waits_it_asks_nothing_and_the_end_wakes_it(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world, *(f"{number}" for number in range(60)))
    with ThreadPoolExecutor(1) as pool:
        future = waiting(pool, line, run)
        asked = len(line.commands)
        for number in range(59):
            watched_hand.complete(run, f"{number}")
        assert len(line.commands) <= asked + 2  # 118 events later
        watched_hand.complete(run, "59")
        assert future.result(30).state is WorkflowState.COMPLETED
        assert line.count("XREAD") <= 3  # one lasts 10 s at the most
        assert len(line.commands) <= asked + 5  # has it really finished, and how


@pytest.mark.parametrize("end", ["complete", "discard", "cancel"])
def test_every_kind_of_end_wakes_it(line: Line, watched_world: World, watched_hand: ByHand, end: str) -> None:
    run = start(watched_world, "a")
    with ThreadPoolExecutor(1) as pool:
        future = waiting(pool, line, run)
        getattr(watched_hand, end)(run, "a")
        assert future.result(30).state.finished


def test_all_who_wait_are_woken(line: Line, watched_world: World, watched_hand: ByHand) -> None:
    run = start(watched_world, "a")
    with ThreadPoolExecutor(5) as pool:
        futures = [waiting(pool, line, run) for _ in range(5)]
        watched_hand.complete(run, "a")
        assert {future.result(30).state for future in futures} == {WorkflowState.COMPLETED}


def test_the_end_of_another_workflow_wakes_nobody(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run, other = start(watched_world, "a"), start(watched_world, "a")
    with ThreadPoolExecutor(1) as pool:
        future = waiting(pool, line, run)
        asked = len(line.commands)
        watched_hand.complete(other, "a")
        assert other.status().state.finished
        assert len(line.commands) <= asked + 3  # the status just read
        watched_hand.complete(run, "a")
        future.result(30)


def test_a_workflow_that_goes_while_it_is_waited_for_is_not_waited_for_in_vain(
    line: Line, watched_world: World
) -> None:
    run = start(watched_world, "a")
    with ThreadPoolExecutor(1) as pool:
        before = line.count("XREAD")
        future = pool.submit(run.wait, 1_000)
        line.wait_for("XREAD", times=before + 1)
        for key in watched_world.keys(f"workflow:{{{run.id}}}*"):
            watched_world.redis.delete(key)
        with pytest.raises(WorkflowNotFound):
            future.result(30)


@pytest.mark.parametrize("timeout", [0, 1, 300, timedelta(milliseconds=20)], ids=str)
def test_when_the_time_is_over_it_says_so(line: Line, watched_world: World, timeout: Any) -> None:
    assert issubclass(WorkflowTimeout, BatonError)
    assert issubclass(WorkflowTimeout, TimeoutError)
    run = start(watched_world, "a")
    before = len(line.commands)
    with pytest.raises(WorkflowTimeout, match=rf"workflow '{run.id}' hasn't finished"):
        run.wait(timeout=timeout)
    assert len(line.commands) <= before + 5  # however long it waited
    assert run.status().state is WorkflowState.EXECUTING


@pytest.mark.parametrize("timeout", [-1, "5", 1.5, True, timedelta(seconds=-1)], ids=repr)
def test_a_timeout_that_is_none_is_refused(watched_world: World, timeout: Any) -> None:
    run = start(watched_world, "a")
    with pytest.raises(ConfigurationError, match="timeout"):
        run.wait(timeout=timeout)
