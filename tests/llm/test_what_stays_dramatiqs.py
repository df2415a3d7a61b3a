"""An LLM actor is a workflow actor: options, outcomes and interrupts mean what they mean on any."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.errors import Retry
from dramatiq.middleware import AsyncIO

from dramatiq_baton import Cancel, ConfigurationError, Discard, Snooze, StepState, Workflow, WorkflowRun
from dramatiq_baton.llm import llm_actor
from tests.support.lab import Lab, Log

from .conftest import told
from .shapes import Bag, of_aiohttp, of_openai

SOON: Any = {"min_backoff": 10, "max_backoff": 30}


def single(actor: Any, **options: Any) -> Workflow:
    flow = Workflow("flow")
    flow.add("a", actor.message_with_options(**options))
    return flow


def test_the_defaults_are_those_of_calls_to_providers(lab: Lab) -> None:
    @llm_actor(broker=lab.broker)
    def work() -> None: ...

    assert work.queue_name == "llm"
    expected = {"min_backoff": 2_000, "max_backoff": 120_000, "max_retries": 5, "time_limit": 300_000}
    assert work.options == expected


def test_every_option_of_a_workflow_actor_is_passed_on(lab: Lab) -> None:
    @llm_actor(
        broker=lab.broker,
        queue_name="gpu",
        priority=3,
        actor_name="named",
        max_retries=None,
        max_age=5,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(seconds=2),
        time_limit=timedelta(seconds=3),
        on_dep_discarded=print,
    )
    def work() -> None: ...

    assert (work.queue_name, work.priority, work.actor_name) == ("gpu", 3, "named")
    assert work.options["max_age"] == 5
    assert work.options["max_retries"] is None
    assert [work.options[name] for name in ("min_backoff", "max_backoff", "time_limit")] == [1000, 2000, 3000]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"min_backoff": 0}, "min_backoff must be at least 1 ms, not 0"),
        ({"min_backoff": 30, "max_backoff": 20}, "min_backoff must be at most 20 ms, not 30"),
        ({"max_backoff": timedelta(days=8)}, "max_backoff must be at most 604800000 ms"),
        ({"max_refusals": -1}, "max_refusals must be a whole number of at least 0, not -1"),
        ({"max_refusals": True}, "max_refusals must be a whole number of at least 0, not True"),
        ({"time_limit": 0}, "time_limit must be at least 1 ms, not 0"),
        ({"time_limit": "1m"}, "time_limit must be milliseconds"),
    ],
)
def test_an_option_that_can_not_be_used_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        llm_actor(**options)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_an_execution_over_its_time_limit_is_interrupted_and_retried(lab: Lab, kind: str) -> None:
    lab.broker.add_middleware(AsyncIO())

    def busy() -> str:
        try:
            raise of_openai(400, {})  # what the interrupt finds the actor busy with doesn't count
        except Bag:
            first = lab.note("started") == 1
            while first:
                time.sleep(0.005)  # it is busy; the exception that ends it arrives between two calls
        return "done"

    async def busy_async() -> str:
        if lab.note("started") == 1:
            await asyncio.Event().wait()
        return "done"

    fn: Any = busy if kind == "plain" else busy_async
    work = llm_actor(broker=lab.broker, time_limit=100, **SOON)(fn)
    run = lab.finish(single(work))
    assert run.result("a") == "done"
    assert [event.error for event in told(run, "retryable")] == ["TimeLimitExceeded"]


def test_no_time_limit_is_none_also_where_the_middleware_has_one(lab: Lab) -> None:
    (limits,) = [each for each in lab.broker.middleware if isinstance(each, dramatiq.middleware.TimeLimit)]
    limits.time_limit = 1
    deadlines: list[Any] = []

    @llm_actor(broker=lab.broker, time_limit=None, **SOON)
    def work() -> str:
        deadlines.extend(limits.manager.deadlines.values())  # type: ignore[union-attr]
        return "done"

    run = lab.finish(single(work))
    assert run.result("a") == "done"
    assert math.inf in deadlines


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Discard("it is bad"), StepState.DISCARDED, "it is bad"),
        (Cancel("it is late"), StepState.CANCELLED, "it is late"),
    ],
)
def test_an_outcome_of_the_actor_s_own_is_not_touched(
    lab: Lab, outcome: Exception, state: StepState, reason: str
) -> None:
    @llm_actor(broker=lab.broker, **SOON)
    def work() -> None:
        try:
            raise of_openai(429, {"retry-after": "1"})
        except Bag:
            raise outcome from None

    step = lab.finish(single(work)).status().steps["a"]
    assert (step.state, step.reason) == (state, reason)


@pytest.mark.parametrize(
    ("raised", "event", "delay"),
    [
        (Snooze(7, "a moment"), "snoozed", 7),
        (Retry("again", delay=7), "retryable", 7),
        (dramatiq.RateLimitExceeded("too fast"), "snoozed", None),
    ],
    ids=["snooze", "retry", "rate limit"],
)
def test_what_else_the_actor_says_itself_is_not_touched(
    lab: Lab, raised: Exception, event: str, delay: int | None
) -> None:
    @llm_actor(broker=lab.broker, max_refusals=0, **SOON)
    def work() -> str:
        if lab.note("started") == 1:
            raise raised from of_aiohttp(400, {"retry-after": "60"})
        return "done"

    run = lab.finish(single(work))
    assert run.result("a") == "done"
    assert lab.events_of(run, "a") == ["executing", event, "executing", "completed"]
    if delay is not None:
        assert told(run, event)[0].delay == delay


def test_throws_sees_what_the_actor_raised(lab: Lab) -> None:
    @llm_actor(broker=lab.broker, throws=(KeyError, Bag), **SOON)
    def work() -> None:
        raise of_openai(429, {})

    run = lab.finish(single(work))
    assert state_of(run) == (StepState.DISCARDED, "Bag: no")


def test_the_log_shows_where_the_actor_failed(lab: Lab, log: Log) -> None:
    @llm_actor(broker=lab.broker, max_retries=0, **SOON)
    def work() -> None:
        raise ValueError("boom")

    lab.finish(single(work))
    (line,) = log.lines("an execution failed")
    assert "step='a' error='ValueError: boom'" in line
    assert "Traceback" in line
    assert "in work" in line


def test_retry_when_sees_what_the_actor_raised(lab: Lab) -> None:
    asked: list[tuple[int, str]] = []

    def retry_when(retries: int, error: BaseException) -> bool:
        asked.append((retries, repr(error)))
        return retries < 2

    @llm_actor(broker=lab.broker, retry_when=retry_when, **SOON)
    def work() -> None:
        raise ValueError("boom")

    run = lab.finish(single(work))
    assert asked == [(retries, "ValueError('boom')") for retries in range(3)]
    assert state_of(run) == (StepState.DISCARDED, "ValueError: boom")
    assert [event.error for event in told(run, "retryable")] == ["ValueError: boom"] * 2


def test_on_retry_exhausted_gets_the_message(lab: Lab) -> None:
    @lab.plain_actor
    def too_often(message: dict[str, Any], info: dict[str, Any]) -> None:
        lab.note(f"{message['actor_name']} {info['retries']}/{info['max_retries']}")

    @llm_actor(broker=lab.broker, max_retries=1, on_retry_exhausted="too_often", **SOON)
    def work() -> None:
        raise ValueError("boom")

    with lab.working():
        lab.run(single(work)).wait(timeout=30_000)
        lab.wait_note("work 1/1")


def test_a_message_s_own_options_count(lab: Lab) -> None:
    @llm_actor(broker=lab.broker, min_backoff=60_000)
    def work() -> str:
        if lab.note("started") <= 2:
            raise ValueError("boom")
        return "done"

    run = lab.finish(single(work, min_backoff=20, max_backoff=20))
    assert run.result("a") == "done"
    assert all(1 <= (event.delay or 0) <= 20 for event in told(run, "retryable"))


def test_a_function_called_by_another_actor_raises_what_it_raises(lab: Lab) -> None:
    @llm_actor(broker=lab.broker, **SOON)
    def inner() -> None:
        raise of_aiohttp(400, {})

    @lab.actor
    def outer() -> str:
        try:
            inner()
        except Bag as error:
            return str(error)
        return "nothing was raised"

    assert lab.finish(single(outer)).result("a") == "no"


def test_outside_a_workflow_it_is_a_plain_actor(lab: Lab) -> None:
    refusals = [of_openai(429, {"retry-after": "60"}), of_openai(400, {})]

    @llm_actor(broker=lab.broker, max_retries=2, **SOON)
    def work(text: str) -> None:
        times = lab.note("started")
        if times <= len(refusals):
            raise refusals[times - 1]
        lab.note(f"done {text}")

    with lab.working():
        work.send("it")
        lab.wait_note("done it")
    assert lab.notes == ["started"] * 3 + ["done it"]


def state_of(run: WorkflowRun) -> tuple[StepState, str]:
    step = run.status().steps["a"]
    return step.state, step.reason
