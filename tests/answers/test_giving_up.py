"""Contract 2: an actor that returns or raises ``Discard(reason)`` or ``Cancel(reason)``."""

from __future__ import annotations

import pytest

from dramatiq_baton import ResultMissing, StepState, WorkflowState
from tests.support.world import World


@pytest.mark.parametrize("answer", ["discard", "raise discard"], ids=["returned", "raised"])
def test_discard_discards_the_step_at_once(world: World, answer: str) -> None:
    flow = world.flow()
    flow.add("a", world.act([answer, "no such page"], ["value", "too late"]))
    run = world.finish(flow)
    status = run.status()
    assert (status.steps["a"].state, status.steps["a"].reason) == (StepState.DISCARDED, "no such page")
    assert status.state is WorkflowState.FAILED
    assert status.failed_steps == ("a",)
    assert world.events_of(run, "a") == ["executing", "discarded"]
    assert world.runs_of(run, "a") == 1  # though max_retries=2


@pytest.mark.parametrize("answer", ["cancel", "raise cancel"], ids=["returned", "raised"])
def test_cancel_cancels_the_step_at_once(world: World, answer: str) -> None:
    flow = world.flow()
    flow.add("a", world.act([answer, "nothing to do"], ["value", "too late"]))
    run = world.finish(flow)
    status = run.status()
    assert (status.steps["a"].state, status.steps["a"].reason) == (StepState.CANCELLED, "nothing to do")
    assert status.state is WorkflowState.CANCELLED
    assert status.failed_steps == ()
    assert world.events_of(run, "a") == ["executing", "cancelled"]
    assert world.runs_of(run, "a") == 1


def test_a_step_that_was_given_up_has_no_result(world: World) -> None:
    flow = world.flow()
    flow.add("discarded", world.act(["discard", "no such page"]))
    flow.add("cancelled", world.act(["cancel", "nothing to do"]))
    run = world.finish(flow)
    assert run.results() == {}
    with pytest.raises(ResultMissing, match="no such page"):
        run.result("discarded")
    with pytest.raises(ResultMissing, match="nothing to do"):
        run.result("cancelled")


def test_a_discard_outweighs_a_cancel_in_the_outcome_of_the_workflow(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["cancel", "nothing to do"]))
    flow.add("b", world.act(["discard", "no such page"]))
    flow.add("c", world.act(["value", 1]))
    run = world.finish(flow)
    assert run.status().state is WorkflowState.FAILED
    finished = next(event for event in run.events() if event.event == "workflow_finished")
    assert (finished.outcome, finished.failed_steps) == ("failed", ("b",))
