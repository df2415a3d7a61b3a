"""Contract 3, point 5: the message of a step whose dep failed doesn't run its actor, but its callback."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import Cancel, Discard, Step, StepState, Workflow
from tests.support.lab import Lab


def _declare(lab: Lab) -> Any:
    def on_dep_discarded(reason: str, step: Step) -> None:
        lab.note(f"{step.name}: {reason}")

    def on_dep_cancelled(reason: str, step: Step) -> None:
        lab.note(f"{step.name}: {reason}")

    @lab.actor(on_dep_discarded=on_dep_discarded, on_dep_cancelled=on_dep_cancelled)
    def work(answer: str = "") -> Any:
        lab.note(f"ran {answer}")
        return {"": None, "discard": Discard("no such page"), "cancel": Cancel("nothing to do")}[answer]

    return work


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [("discard", "dep 'a' was discarded: no such page"), ("cancel", "dep 'a' was cancelled: nothing to do")],
)
def test_a_step_whose_dep_failed_is_cancelled_and_its_callback_run_once(
    lab: Lab, dispatch: Any, answer: str, reason: str
) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("b", work.message(), deps="a")
    flow.add("a", work.message(answer))
    run = lab.finish(flow, dispatch=dispatch)
    assert lab.notes == [f"ran {answer}", f"b: {reason}"]
    b = run.status().steps["b"]
    assert (b.state, b.reason, b.attempt) == (StepState.CANCELLED, reason, 0)


def test_many_messages_of_a_cancelled_step_run_its_callback_once(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("b", work.message(), deps="a")
    flow.add("a", work.message("discard"))
    run = lab.run(flow, dispatch="eager")
    for _ in range(20):
        lab.broker.enqueue(lab.sent.of("b"))
    with lab.working(threads=8):
        run.wait(timeout=30_000)
    assert lab.notes == ["ran discard", "b: dep 'a' was discarded: no such page"]
    assert [event.event for event in run.events()].count("workflow_finished") == 1
