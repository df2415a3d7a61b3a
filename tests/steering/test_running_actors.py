"""What an actor notices that runs while its workflow is cancelled."""

from __future__ import annotations

import pytest

from dramatiq_baton import ResultMissing, StepCancelled, WorkflowRun, WorkflowState
from tests.support.world import World


def _run(world: World, *orders: object, asynchronous: bool = False) -> WorkflowRun:
    """Run a workflow of one step, and wait until its actor runs."""
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    flow.add("a", world.actors.act_async.message(list(orders)) if asynchronous else world.act(*orders))
    run = world.run(flow)
    assert any(event.event == "executing" for event in run.events(follow=True))
    return run


def _next(world: World) -> None:
    """Have one more workflow run; what the worker had to do before is done then."""
    flow = world.flow()
    flow.add("a", world.act(["value", 1]))
    world.finish(flow)


def test_it_sees_that_its_step_was_cancelled_and_its_value_is_ignored(own_world: World) -> None:
    run = _run(own_world, ["until cancelled", "told"])
    assert run.cancel() == 1
    own_world.wait_for_waiting("told")
    own_world.actors.let_go("told")
    _next(own_world)
    assert run.status().state is WorkflowState.CANCELLED
    with pytest.raises(ResultMissing, match="it is cancelled"):
        run.result("a")
    assert own_world.events_of(run, "a") == ["executing", "cancelled"]


def test_what_it_raises_is_ignored_too_and_nothing_is_retried(own_world: World) -> None:
    run = _run(own_world, ["after", "go", ["fail", "boom"]], ["value", 1])
    own_world.wait_for_waiting("go")
    run.cancel()
    own_world.actors.let_go("go")
    _next(own_world)
    assert own_world.events_of(run, "a") == ["executing", "cancelled"]
    assert own_world.runs_of(run, "a") == 1


def test_it_is_not_interrupted_unless_that_is_asked_for(own_world: World) -> None:
    run = _run(own_world, ["until cancelled", "told"])
    run.cancel()
    own_world.wait_for_waiting("told")  # it knows, and goes on
    own_world.actors.let_go("told")
    _next(own_world)
    assert "a|interrupted|" not in own_world.notes(run)


@pytest.mark.parametrize("end", ["raise", "a value"])
def test_it_is_interrupted_where_it_is(own_world: World, end: str) -> None:
    run = _run(own_world, ["until interrupted", "told", end])
    own_world.wait_for_waiting("never")
    run.cancel("stop it", interrupt=True)
    own_world.wait_for_waiting("told")
    own_world.actors.let_go("told")
    _next(own_world)
    assert own_world.notes(run) == ["a|run|1", "a|interrupted|"]
    assert own_world.events_of(run, "a") == ["executing", "cancelled"]


def test_an_asynchronous_actor_is_interrupted_where_it_awaits(own_world: World) -> None:
    run = _run(own_world, ["await", "told"], asynchronous=True)
    run.cancel(interrupt=True)
    own_world.wait_for_waiting("told")
    _next(own_world)
    assert own_world.notes(run) == ["a|run|", "a|interrupted|"]
    assert own_world.events_of(run, "a") == ["executing", "cancelled"]


def test_an_interrupt_is_no_exception_that_an_actor_catches_by_mistake() -> None:
    assert not issubclass(StepCancelled, Exception)


def test_its_worker_says_no_more_than_that_it_was_cancelled(own_world: World) -> None:
    run = _run(own_world, ["until interrupted", "told", "raise"])
    own_world.wait_for_waiting("never")
    run.cancel(interrupt=True)
    own_world.actors.let_go("told")
    _next(own_world)
    worker = own_world.worker
    own_world.stop_worker()
    assert "a step was cancelled while it ran" in worker.log
    for noise in ("Traceback", "Failed to process", "Retrying", "lost the lease"):
        assert noise not in worker.log


def test_what_it_returns_does_not_count_after_a_retry_either(own_world: World) -> None:
    """It may have returned early because it knew."""
    run = _run(own_world, ["until cancelled", "told"], ["value", "the right one"])
    run.cancel()
    own_world.wait_for_waiting("told")
    run.retry()
    run.wait(timeout=30_000)  # by another thread
    own_world.actors.let_go("told")
    _next(own_world)
    assert run.result("a") == "the right one"


def test_it_learns_of_it_within_five_seconds_however_long_leases_are(own_world: World) -> None:
    with own_world.worker_running(env={"BATON_TEST_LEASE_TTL": "3600000"}):
        flow = own_world.flow()
        flow.add("a", own_world.act(["until cancelled", "told"]))
        run = own_world.run(flow)
        assert any(event.event == "executing" for event in run.events(follow=True))
        run.cancel()
        own_world.wait_for_waiting("told")  # for half a minute, where a third of the lease would be twenty
        own_world.actors.let_go("told")
