"""Contract 2, "What an actor may answer": each row."""

from __future__ import annotations

import pytest

from dramatiq_baton import ResultMissing, StepState, WorkflowState
from tests.support.world import World


def test_a_returned_value_is_stored_and_the_step_completed(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["value", {"x": [1, 2]}]))
    run = world.finish(flow)
    assert run.status().steps["a"].state is StepState.COMPLETED
    assert run.result("a") == {"x": [1, 2]}
    assert world.events_of(run, "a") == ["executing", "completed"]


def test_a_returned_none_is_a_result_too(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["value", None]))
    run = world.finish(flow)
    assert run.results() == {"a": None}


def test_an_exception_with_retries_left_makes_the_step_retryable_and_it_runs_again(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["fail", "boom"], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 2
    assert world.events_of(run, "a") == ["executing", "retryable", "executing", "completed"]
    retryable = next(event for event in run.events() if event.event == "retryable")
    assert retryable.error == "ValueError: boom"
    assert retryable.delay is not None
    assert retryable.delay > 0


def test_an_exception_without_retries_left_discards_the_step(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["fail", "boom"]))
    run = world.finish(flow)
    assert run.status().state is WorkflowState.FAILED
    assert run.status().steps["a"].reason == "ValueError: boom"
    assert world.runs_of(run, "a") == 3  # max_retries=2
    with pytest.raises(ResultMissing, match=r"step 'a' .* discarded: ValueError: boom"):
        run.result("a")
