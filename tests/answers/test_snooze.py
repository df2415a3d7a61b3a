"""Contract 2: an actor that returns or raises ``Snooze(delay)``."""

from __future__ import annotations

import pytest

from dramatiq_baton import StepState
from tests.support.world import World

BOTH_WAYS = pytest.mark.parametrize("answer", ["snooze", "raise snooze"], ids=["returned", "raised"])


@BOTH_WAYS
def test_a_step_that_snoozes_runs_again_after_the_delay(world: World, answer: str) -> None:
    flow = world.flow()
    flow.add("a", world.act([answer, 150, "the page isn't there yet"], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 2
    assert world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]
    snoozed, again = [event for event in run.events() if event.step == "a"][1:3]
    assert (snoozed.delay, snoozed.reason) == (150, "the page isn't there yet")
    assert again.ts - snoozed.ts >= 150


@BOTH_WAYS
def test_snoozing_consumes_no_retry(world: World, answer: str) -> None:
    snoozes = [[answer, 0]] * 4
    flow = world.flow()
    flow.add("a", world.act(*snoozes, ["fail", "one"], [answer, 0], ["fail", "two"], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 8  # max_retries=2, and both were left for the two failures


def test_snoozing_gives_no_retry_back(world: World) -> None:
    flow = world.flow()
    flow.add(
        "a", world.act(["fail", "one"], ["snooze", 0], ["fail", "two"], ["snooze", 0], ["fail", "three"])
    )
    run = world.finish(flow)
    assert run.status().steps["a"].state is StepState.DISCARDED
    assert run.status().steps["a"].reason == "ValueError: three"
    assert world.runs_of(run, "a") == 5


def test_a_snoozed_step_says_so_in_the_status(world: World) -> None:
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    flow.add("a", world.act(["snooze", 60_000, "later"]))
    run = world.run(flow)
    assert next(event for event in run.events(follow=True) if event.event == "snoozed")
    step = run.status().steps["a"]
    assert (step.state, step.attempt, step.reason) == (StepState.SNOOZED, 1, "later")
    assert run.status().counts == {StepState.SNOOZED: 1}
