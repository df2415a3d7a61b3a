"""Steps and workflows that wait: counted from when the deps are done, and for as long as one likes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dramatiq_baton import ConfigurationError, StepState, WorkflowExists, WorkflowRun, WorkflowState
from dramatiq_baton.durations import MAX_DELAY
from dramatiq_baton.store import upkeep
from tests.support.by_hand import ByHand, send_message
from tests.support.world import World

WEEKS = timedelta(days=30)


def _ts(run: WorkflowRun, step: str, event: str) -> int:
    (found,) = [told.ts for told in run.events() if (told.step, told.event) == (step, event)]
    return found


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_step_waits_from_when_its_deps_are_done(world: World, dispatch: str) -> None:
    flow = world.flow()
    flow.add("first", world.act(["busy", 300]))
    flow.add("delayed", world.act(["run"]), deps="first", delay=700)
    flow.add("root", world.act(["run"]), delay=timedelta(milliseconds=500))
    run = world.finish(flow, dispatch=dispatch)
    assert _ts(run, "delayed", "executing") - _ts(run, "first", "completed") >= 700
    assert _ts(run, "root", "executing") - run.status().created_at >= 500
    assert world.runs_of(run, "delayed") == 1


def test_it_is_told_as_a_snooze(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(), delay=WEEKS)
    run = own_world.run(flow)
    step = run.status().steps["a"]
    assert (step.state, step.attempt, step.reason) == (StepState.SNOOZED, 0, "delayed")
    (event,) = [event for event in run.events() if event.step]
    assert (event.event, event.delay, event.reason) == ("snoozed", 30 * 24 * 3600 * 1000, "delayed")
    run.cancel()


def test_a_delay_may_be_longer_than_dramatiqs_seven_days(own_world: World, by_hand: ByHand) -> None:
    """Whoever looks after 30 days sends it; a test sees to that by setting its time."""
    flow = own_world.flow()
    flow.add("a", own_world.act(["value", 1]), delay=WEEKS)
    run = own_world.run(flow)
    index = f"{own_world.namespace}:index:waiting"
    ((member, due),) = own_world.redis.zrange(index, 0, -1, withscores=True)
    assert due - run.status().created_at == 30 * 24 * 3600 * 1000
    own_world.worker  # noqa: B018 - starts it
    own_world.redis.zadd(index, {member: due - 30 * 24 * 3600 * 1000})
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED


def test_no_message_of_it_starts_it_early(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(), delay=WEEKS)
    run = own_world.run(flow)
    send_message(own_world, run, "a", seq=0)
    after = own_world.flow()
    after.add("a", own_world.act())
    own_world.finish(after)
    assert own_world.notes(run) == []
    run.cancel()


def test_a_workflow_waits_before_its_first_step(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["run"]))
    flow.add("b", world.act(["run"]), deps="a")
    world.worker  # noqa: B018 - starts it
    run = world.run(flow, delay=600)
    assert run.status().counts == {StepState.PENDING: 2}
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert _ts(run, "a", "executing") - run.status().created_at >= 600
    assert next(run.events()).delay == 600


def test_a_delayed_workflow_waits_however_it_is_dispatched(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["run"]))
    world.worker  # noqa: B018 - starts it
    run = world.run(flow, delay=500, dispatch="eager")
    run.wait(timeout=30_000)
    assert _ts(run, "a", "executing") - run.status().created_at >= 500


def test_a_delayed_workflow_costs_nothing_until_then(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow, delay=WEEKS)
    assert own_world.redis.llen(f"{own_world.namespace}:broker:{own_world.actors.QUEUE}") == 0
    ((_, due),) = own_world.redis.zrange(f"{own_world.namespace}:index:spreading", 0, -1, withscores=True)
    assert due - run.status().created_at == 30 * 24 * 3600 * 1000
    run.cancel()
    assert own_world.redis.zcard(f"{own_world.namespace}:index:spreading") == 0


def test_the_same_graph_with_another_delay_is_another_graph(own_world: World) -> None:
    for delay in (None, 5):
        flow = own_world.flow(id="delayed")
        flow.add("a", own_world.act(), delay=delay)
        if delay is None:
            run = own_world.run(flow)
        else:
            with pytest.raises(WorkflowExists):
                own_world.run(flow)
    run.cancel()


def test_a_step_that_has_run_does_not_wait_again_in_a_retry(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["discard", "no"], ["value", 1]), delay=100)
    run = own_world.finish(flow)
    run.retry()
    run.wait(timeout=30_000)
    assert own_world.events_of(run, "a") == ["snoozed", "executing", "discarded", "executing", "completed"]


def test_the_rescue_looks_again_when_the_next_delay_is_over(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(), delay=60_000)
    run = own_world.run(flow)
    due = upkeep.sweep(by_hand.store, who="me", alone_for=1000, most=10)
    assert due is not None
    assert due.next is not None
    assert 50_000 < due.next <= 60_000
    run.cancel()
    due = upkeep.sweep(by_hand.store, who="me", alone_for=1000, most=10)
    assert due is not None
    assert due.next is None


@pytest.mark.parametrize("delay", [-1, "5", 1.5, True, timedelta(days=-1), MAX_DELAY + 1, timedelta.max])
def test_a_delay_that_can_not_be_used_is_refused_before_anything_is_written(
    own_world: World, delay: object
) -> None:
    flow = own_world.flow()
    with pytest.raises(ConfigurationError, match="delay of step 'a'"):
        flow.add("a", own_world.act(), delay=delay)  # type: ignore[arg-type]
    flow.add("a", own_world.act())
    with pytest.raises(ConfigurationError, match="workflow's delay"):
        own_world.run(flow, delay=delay)
    assert own_world.keys() == []


def test_the_longest_delay_is_kept_to_the_millisecond(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(), delay=MAX_DELAY)
    run = own_world.run(flow)
    ((_, due),) = own_world.redis.zrange(f"{own_world.namespace}:index:waiting", 0, -1, withscores=True)
    assert due - run.status().created_at == MAX_DELAY
    run.cancel()
