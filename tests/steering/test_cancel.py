"""``run.cancel()``: every step that hasn't settled is cancelled, wherever it is."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import (
    ConfigurationError,
    StepState,
    WorkflowNotFound,
    WorkflowRun,
    WorkflowState,
    get_run,
)
from tests.support.by_hand import ByHand
from tests.support.world import World


def _everywhere(world: World, **options: Any) -> WorkflowRun:
    """A workflow with steps in all states, one of them running until told otherwise."""
    flow = world.flow()
    flow.add("done", world.act(["value", 1]))
    flow.add("running", world.act(["wait for", "the end"]), deps="done")
    flow.add("snoozed", world.act(["snooze", 3_600_000]), deps="done")
    slow = world.actors.act.message_with_options(args=([["fail", "boom"]],), min_backoff=3_600_000)
    flow.add("retryable", slow, deps="done")
    flow.add("delayed", world.act(), delay=3_600_000)
    flow.add("pending", world.act(), deps=["running", "delayed"])
    flow.add("further", world.act(), deps="pending")
    run = world.run(flow, **options)
    world.worker  # noqa: B018 - starts it
    told = set()
    for event in run.events(follow=True):
        told.add((event.step, event.event))
        if told >= {
            ("running", "executing"), ("snoozed", "snoozed"), ("retryable", "retryable"), ("delayed", "snoozed")
        }:  # fmt: skip
            return run
    raise AssertionError("it ended")


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_every_step_that_has_not_settled_is_cancelled(own_world: World, dispatch: str) -> None:
    run = _everywhere(own_world, dispatch=dispatch)
    assert run.cancel("not needed any more") == 6
    status = run.status()
    own_world.actors.let_go("the end")
    assert status.state is WorkflowState.CANCELLED
    assert status.finished_at is not None
    assert status.counts == {StepState.COMPLETED: 1, StepState.CANCELLED: 6}
    assert {step.reason for step in status.steps.values()} == {"", "not needed any more"}


def test_each_is_told_as_an_event_and_the_end_once(own_world: World) -> None:
    run = _everywhere(own_world)
    run.cancel("enough")
    own_world.actors.let_go("the end")
    events = list(run.events())
    cancelled = {event.step: event.reason for event in events if event.event == "cancelled"}
    assert cancelled == dict.fromkeys(
        ["running", "snoozed", "retryable", "delayed", "pending", "further"], "enough"
    )
    assert [event.outcome for event in events if event.event == "workflow_finished"] == ["cancelled"]
    assert events[-1].event == "workflow_finished"


def test_a_reason_that_is_not_given_is_made_up(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    assert run.cancel() == 1
    assert run.status().steps["a"].reason == "the workflow was cancelled"


def test_what_is_left_in_queues_runs_no_actor(own_world: World) -> None:
    flow = own_world.flow()
    for number in range(5):
        flow.add(f"{number}", own_world.act())
    cancelled = own_world.run(flow)
    assert cancelled.cancel() == 5
    after = own_world.flow()
    after.add("a", own_world.act())
    own_world.finish(after)  # the queue is first in, first out
    assert own_world.notes(cancelled) == []


def test_a_workflow_that_failed_in_part_is_cancelled_all_the_same(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "a")
    assert run.cancel() == 1
    assert run.status().state is WorkflowState.CANCELLED
    assert run.status().failed_steps == ("a",)


def test_a_finished_workflow_stays_as_it_is(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.complete(run, "a")
    before = own_world.dump(run.id)
    assert run.cancel() == 0
    assert own_world.dump(run.id) == before


def test_no_callback_is_run_for_steps_that_are_cancelled_with_their_workflow(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    flow.add("c", own_world.act(), deps="b")
    run = own_world.run(flow)
    run.cancel()
    after = own_world.flow()
    after.add("a", own_world.act())
    own_world.finish(after)
    assert own_world.notes(run) == []


def test_a_callback_that_is_due_already_is_still_run(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    flow.add("c", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "a", "no good")
    assert run.cancel() == 1
    assert run.status().state is WorkflowState.EXECUTING  # until it has been run
    own_world.worker  # noqa: B018 - starts it
    assert run.wait(timeout=30_000).state is WorkflowState.CANCELLED
    assert own_world.notes(run) == ["b|on_dep_discarded|dep 'a' was discarded: no good"]


def test_ten_thousand_steps_are_cancelled_in_bounded_scripts(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("root", own_world.act())
    for number in range(10_000):
        flow.add(f"{number}", own_world.act(), deps="root")
    run = own_world.run(flow)
    assert run.cancel() == 10_001
    assert run.status().counts == {StepState.CANCELLED: 10_001}


def test_a_workflow_that_is_gone_is_not_found(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    run.cancel()
    own_world.redis.delete(*own_world.keys(f"workflow:{{{run.id}}}*"))
    with pytest.raises(WorkflowNotFound, match=run.id):
        run.cancel()
    with pytest.raises(WorkflowNotFound):
        get_run(run.id, broker=own_world.broker)


@pytest.mark.parametrize("reason", [None, 7, b"bytes", ["list"]])
def test_a_reason_that_is_no_text_is_refused_before_anything_happens(
    own_world: World, reason: object
) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    before = own_world.dump(run.id)
    with pytest.raises(ConfigurationError, match="reason must be a str"):
        run.cancel(reason)  # type: ignore[arg-type]
    assert own_world.dump(run.id) == before
    run.cancel()


@pytest.mark.parametrize(
    "reason", ["x" * 10_000, "two\nlines", "{braces}", "a:b", "\0", "😀", "\x1b[31mred", "[bold]", "\ud800"]
)
def test_any_text_may_be_the_reason(own_world: World, reason: str) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    assert run.cancel(reason) == 1
    told = next(event for event in run.events() if event.event == "cancelled").reason
    assert told == run.status().steps["a"].reason
    assert len(told) <= 500
    assert told.rstrip("…").replace("?", "") in reason
