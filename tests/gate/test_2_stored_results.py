"""Contract 3, point 2: a step that has a stored result is never run again, and what is left behind it is done."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import pipeline

from dramatiq_baton import StepState, Workflow, WorkflowState
from dramatiq_baton.codec import encode
from tests.support import dead_worker
from tests.support.lab import Lab
from tests.support.own import MakeLab


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    """A lab in which no rescue comes."""
    return make_lab(rescue_interval=600_000)


def _declare(lab: Lab) -> Any:
    @lab.actor
    def work(*values: Any) -> int:
        return lab.note("ran")

    return work


def test_a_message_of_a_completed_step_is_answered_from_its_result(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        run.wait(timeout=30_000)
        lab.broker.enqueue(lab.sent.of("a"))
        cached = lab.wait_event(run, lambda event: event.cached)
    assert (cached.event, cached.step, cached.attempt) == ("completed", "a", 1)
    assert lab.notes == ["ran"]
    assert run.result("a") == 1
    assert lab.events_of(run, "a") == ["executing", "completed", "completed"]


def test_a_stored_none_is_a_stored_result(lab: Lab) -> None:
    @lab.actor
    def nothing() -> None:
        lab.note("ran")

    flow = Workflow("flow")
    flow.add("a", nothing.message())
    with lab.working():
        run = lab.run(flow)
        run.wait(timeout=30_000)
        lab.broker.enqueue(lab.sent.of("a"))
        lab.wait_event(run, lambda event: event.cached)
    assert lab.notes == ["ran"]


def test_the_workflow_isnt_finished_again(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        run.wait(timeout=30_000)
        lab.broker.enqueue(lab.sent.of("a"))
        lab.wait_event(run, lambda event: event.cached)
    assert [event.event for event in run.events()].count("workflow_finished") == 1
    assert run.status().counts == {StepState.COMPLETED: 1}


def test_dependents_that_a_crash_left_unreleased_are_released(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    a = flow.add("a", work.message())
    flow.add("b", work.message(a))
    flow.add("c", work.message(), deps="a")
    run = lab.run(flow)
    dead_worker.complete(run, "a", "kept")  # and its worker died before it could send anything
    with lab.working():  # the message of "a" is still there
        run.wait(timeout=30_000)
    assert run.result("a") == "kept"
    assert lab.notes == ["ran", "ran"]  # "b" and "c"
    assert lab.events_of(run, "a") == ["executing", "completed", "completed"]


def test_dependents_that_a_crash_left_untold_are_told(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message())
    for number in range(350):
        flow.add(f"b{number}", work.message(), deps="a")
    run = lab.run(flow)
    assert dead_worker.complete(run, "a", 1).unfinished
    with lab.working():
        run.wait(timeout=30_000)
    assert run.status().counts == {StepState.COMPLETED: 351}
    assert lab.notes.count("ran") == 350


def test_dependents_that_were_told_in_a_later_portion_and_not_sent_are_left_to_the_rescue(
    make_lab: MakeLab,
) -> None:
    lab = make_lab(lease_ttl=500)
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message())
    for number in range(350):
        flow.add(f"b{number}", work.message(), deps="a")
    run = lab.run(flow)
    dead_worker.complete(run, "a", 1)
    dead_worker.store_of(run).spread(run.id)  # the second portion is told, and the worker dies only then
    with lab.working():
        run.wait(timeout=30_000)
    assert run.status().counts == {StepState.COMPLETED: 351}
    assert lab.notes.count("ran") == 350


def test_a_result_whose_step_isnt_settled_settles_it_now(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message())
    flow.add("b", work.message(), deps="a")
    run = lab.run(flow)
    lab.world.redis.hset(f"{lab.world.namespace}:workflow:{{{run.id}}}:results", "a", encode("found"))
    with lab.working():
        run.wait(timeout=30_000)
    assert run.status().state is WorkflowState.COMPLETED
    assert run.results() == {"a": "found", "b": 1}
    assert lab.notes == ["ran"]


def test_a_cached_result_is_what_dramatiqs_other_middleware_sees(lab: Lab) -> None:
    """A message that was redelivered because its worker died still has its pipe to fill."""

    @lab.plain_actor
    def then(value: str) -> None:
        lab.note(f"then {value}")

    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", pipeline([work.message(), then.message()], broker=lab.broker).messages[0])
    run = lab.run(flow)
    dead_worker.complete(run, "a", "kept")
    with lab.working():
        lab.wait_note("then kept")
