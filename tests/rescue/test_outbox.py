"""The rescue of released steps whose messages were never sent: who released them died before it could."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import StepState, WorkflowState
from tests.support.rescuing import Rescuing

DIAMOND: dict[str, Any] = {"b": "a", "c": "a", "d": ["b", "c"]}


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_whose_submitter_sent_nothing_runs(rescuing: Rescuing, dispatch: str) -> None:
    run, _ = rescuing.submit_and_die(rescuing.flow("a", "b", "c", "d", deps=DIAMOND), dispatch)
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    rescuing.finish(run)
    assert run.results() == {name: name for name in "abcd"}
    assert [str(event.event) for event in run.events()].count("workflow_finished") == 1


def test_a_released_dependent_whose_message_was_never_sent_runs(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b", "c", "d", deps=DIAMOND))
    rescuing.hand.complete(run, "a", "a")  # releases b and c, and sends nothing
    assert run.status().steps["b"].state is StepState.QUEUED
    rescuing.pass_time()
    assert sorted(rescuing.look()) == ["b", "c"]
    rescuing.finish(run)
    assert run.results() == {name: name for name in "abcd"}


def test_a_callback_whose_message_was_never_sent_is_run(rescuing: Rescuing) -> None:
    lab = rescuing.lab

    @lab.actor(queue_name="q", on_dep_discarded=lambda reason, step: lab.note(f"callback of {step.name}"))
    def with_callback() -> None: ...

    flow = rescuing.flow("a")
    flow.add("b", with_callback.message(), deps="a")
    run = rescuing.run_and_lose(flow)
    rescuing.hand.discard(run, "a")
    assert run.status().state is WorkflowState.EXECUTING  # until the callback was run
    rescuing.pass_time()
    assert rescuing.look() == ["b"]
    rescuing.finish(run)
    assert lab.notes == ["callback of b"]
    assert run.status().steps["b"].state is StepState.CANCELLED


def test_a_callback_whose_worker_died_is_run_by_another(rescuing: Rescuing) -> None:
    lab = rescuing.lab

    @lab.actor(queue_name="q", on_dep_discarded=lambda reason, step: lab.note(f"callback of {step.name}"))
    def with_callback() -> None: ...

    flow = rescuing.flow("a")
    flow.add("b", with_callback.message(), deps="a")
    run = rescuing.run_and_lose(flow)
    rescuing.hand.discard(run, "a")
    assert rescuing.hand.claim(run, "b").word == "callback"
    rescuing.pass_time()
    assert rescuing.look() == ["b"]
    rescuing.finish(run)
    assert lab.notes == ["callback of b"]


def test_what_was_sent_a_moment_ago_is_left_alone(rescuing: Rescuing) -> None:
    rescuing.submit_and_die(rescuing.flow("a"))
    assert rescuing.look() == []


def test_a_worker_finds_by_itself_what_was_never_sent(make_rescuing: Any) -> None:
    rescuing = make_rescuing(lease_ttl=300, rescue_interval=100)
    run, _ = rescuing.submit_and_die(rescuing.flow("a", "b", deps={"b": "a"}))
    rescuing.finish(run)
    assert run.results() == {"a": "a", "b": "b"}
