"""``WorkflowRun.status()``: what it tells of a workflow and of each step."""

from __future__ import annotations

import dataclasses

import pytest

from dramatiq_baton import StepState, WorkflowState
from tests.support.by_hand import ByHand
from tests.support.world import World


def test_a_new_workflow_is_executing_its_roots_queued_and_the_rest_pending(own_world: World) -> None:
    flow = own_world.flow("brief")
    flow.add("b", own_world.act(), deps=["a", "z"])
    flow.add("a", own_world.act())
    flow.add("z", own_world.act())
    run = own_world.run(flow)
    status = run.status()
    assert (status.id, status.name, status.state) == (run.id, "brief", WorkflowState.EXECUTING)
    assert status.total == 3
    assert status.counts == {StepState.PENDING: 1, StepState.QUEUED: 2}
    assert list(status.steps) == ["b", "a", "z"]  # as they were added
    assert status.finished_at is None
    assert status.failed_steps == ()
    assert status.created_at == next(run.events()).ts


def test_a_step_tells_its_actor_queue_and_deps(own_world: World) -> None:
    flow = own_world.flow()
    first = flow.add("first", own_world.act())
    flow.add("second", own_world.act(inputs=first))
    flow.add("third", own_world.actors.act_async.message([], [first]), deps=["second", "first"])
    third = own_world.run(flow).status().steps["third"]
    assert dataclasses.asdict(third) == {
        "name": "third",
        "state": StepState.PENDING,
        "actor": "act_async",
        "queue": own_world.actors.QUEUE,
        "attempt": 0,
        "deps": ("first", "second"),
        "reason": "",
        "started_at": None,
        "finished_at": None,
    }


def test_a_running_step_tells_when_it_started(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.claim(run, "a")
    step = run.status().steps["a"]
    executing = next(event for event in run.events() if event.event == "executing")
    assert (step.state, step.attempt, step.started_at) == (StepState.EXECUTING, 1, executing.ts)
    assert step.finished_at is None


def test_a_settled_step_tells_when_and_why(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.actors.act_async.message([]), deps="a")  # an actor without callbacks
    run = own_world.run(flow)
    by_hand.discard(run, "a", "no such page")
    status, events = run.status(), list(run.events())
    assert {name: (step.state, step.reason) for name, step in status.steps.items()} == {
        "a": (StepState.DISCARDED, "no such page"),
        "b": (StepState.CANCELLED, "dep 'a' was discarded: no such page"),
    }
    for name in "ab":
        assert status.steps[name].finished_at == [event.ts for event in events if event.step == name][-1]
    assert status.steps["b"].started_at is None
    assert status.finished_at == events[-1].ts


def test_attempt_and_start_are_those_of_the_latest_attempt(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["fail", "x"], ["snooze", 1], ["attempt"]))
    run = world.finish(flow)
    step = run.status().steps["a"]
    starts = [event.ts for event in run.events() if event.event == "executing"]
    assert (step.attempt, run.result("a"), len(starts)) == (3, 3, 3)
    assert step.started_at == starts[-1]
    assert step.reason == ""


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("cc", WorkflowState.COMPLETED),
        ("cx", WorkflowState.CANCELLED),
        ("cd", WorkflowState.FAILED),
        ("xd", WorkflowState.FAILED),
        ("dx", WorkflowState.FAILED),
    ],
)
def test_a_workflow_is_failed_by_a_discarded_step_else_cancelled_by_a_cancelled_one(
    own_world: World, by_hand: ByHand, outcomes: str, state: WorkflowState
) -> None:
    flow = own_world.flow()
    for number in range(len(outcomes)):
        flow.add(f"{number}", own_world.act())
    run = own_world.run(flow)
    do = {"c": by_hand.complete, "x": by_hand.cancel, "d": by_hand.discard}
    for number, outcome in enumerate(outcomes):
        assert run.status().state is WorkflowState.EXECUTING
        do[outcome](run, f"{number}")
    assert run.status().state is state
    assert run.wait(timeout=0).state is state


def test_failed_steps_are_those_discarded_in_the_order_in_which_they_were_added(
    own_world: World, by_hand: ByHand
) -> None:
    flow = own_world.flow()
    for name in "cabd":
        flow.add(name, own_world.act())
    run = own_world.run(flow)
    for name in "abc":
        by_hand.discard(run, name)
    by_hand.cancel(run, "d")
    assert run.status().failed_steps == ("c", "a", "b")


def test_the_counts_add_up_at_every_moment(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    flow.add("c", own_world.act(), deps="b")
    flow.add("d", own_world.act())
    run = own_world.run(flow)
    for change in (
        lambda: None,
        lambda: by_hand.complete(run, "a"),
        lambda: by_hand.claim(run, "d"),
        lambda: by_hand.discard(run, "b"),
    ):
        change()
        status = run.status()
        counted: dict[StepState, int] = {}
        for step in status.steps.values():
            counted[step.state] = counted.get(step.state, 0) + 1
        assert status.counts == counted
        assert sum(status.counts.values()) == status.total == 4
