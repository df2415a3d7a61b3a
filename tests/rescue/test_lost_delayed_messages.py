"""The rescue of snoozed and retryable steps whose delayed message is gone from the broker."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import StepState
from tests.support.rescuing import Rescuing

either = pytest.mark.parametrize("state", ["snoozed", "retryable"])


@either
def test_a_step_whose_delayed_message_is_gone_is_sent_again(rescuing: Rescuing, state: Any) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.put_off(run, "a", state, delay=1000)
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    assert run.status().steps["a"].state == state  # until somebody claims it
    rescuing.finish(run)
    assert run.status().steps["a"].attempt == 2
    assert rescuing.lab.events_of(run, "a") == ["executing", state, "executing", "completed"]


@either
def test_a_step_that_isnt_due_yet_is_left_alone(rescuing: Rescuing, state: Any) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.put_off(run, "a", state, delay=2 * 3_600_000)
    rescuing.pass_time()  # an hour
    assert rescuing.look() == []


def test_the_message_that_is_sent_again_carries_the_retries_that_were_consumed(rescuing: Rescuing) -> None:
    lab = rescuing.lab

    @lab.actor(queue_name="q", max_retries=2)
    def failing() -> None:
        lab.note("ran")
        raise ValueError("boom")

    flow = rescuing.flow()
    flow.add("a", failing.message())
    run = rescuing.run_and_lose(flow)
    rescuing.put_off(run, "a", "retryable", retries=2)  # failed twice
    rescuing.pass_time()
    rescuing.look()
    assert lab.sent.messages[-1].options["retries"] == 2
    rescuing.finish(run)
    assert lab.notes == ["ran"]
    assert run.status().steps["a"].state is StepState.DISCARDED


def test_an_eager_step_that_waits_for_its_deps_is_sent_again_too(rescuing: Rescuing) -> None:
    run = rescuing.lab.run(rescuing.flow("a", "b", deps={"b": "a"}), dispatch="eager")
    rescuing.lose_messages()
    assert rescuing.hand.claim(run, "b").word == "snoozed"
    rescuing.pass_time()
    assert sorted(rescuing.look()) == ["a", "b"]
    rescuing.finish(run)
    assert run.results() == {"a": "a", "b": "b"}


def test_a_delayed_message_that_comes_after_all_runs_nothing_twice(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.put_off(run, "a", "snoozed", delay=1000)
    rescuing.pass_time()
    rescuing.look()
    again = rescuing.lab.sent.messages[-1]  # the same as the delayed one, but for the delay
    rescuing.lab.broker.enqueue(again)
    rescuing.finish(run)
    assert rescuing.lab.notes == ["ran"]


def test_a_worker_finds_by_itself_a_snoozed_step_that_the_broker_lost(make_rescuing: Any) -> None:
    rescuing = make_rescuing(lease_ttl=300, rescue_interval=100)
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.put_off(run, "a", "snoozed", delay=100)
    rescuing.finish(run)
    assert run.result("a") == "a"
