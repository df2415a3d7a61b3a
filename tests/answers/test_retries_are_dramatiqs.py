"""Contract 2: Dramatiq's options of retries mean on a step what they mean on any actor."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from dramatiq.errors import Retry
from dramatiq.middleware import AsyncIO

from dramatiq_baton import StepState, Workflow, WorkflowRun
from tests.support.lab import Lab
from tests.support.world import World


def test_an_exception_listed_in_throws_discards_the_step_at_once(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["expected", "as declared"], ["value", "too late"]))
    run = world.finish(flow)
    assert run.status().steps["a"].state is StepState.DISCARDED
    assert run.status().steps["a"].reason == "KeyError: 'as declared'"
    assert world.events_of(run, "a") == ["executing", "discarded"]


def test_max_retries_of_the_message_counts_for_its_step(world: World) -> None:
    message = world.actors.act.message_with_options(args=([["fail", "boom"]],), max_retries=1)
    flow = world.flow()
    flow.add("a", message)
    run = world.finish(flow)
    assert world.runs_of(run, "a") == 2
    assert run.status().steps["a"].state is StepState.DISCARDED


def test_the_backoff_is_dramatiqs(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["fail", "one"], ["fail", "two"], ["attempt"]))
    run = world.finish(flow)
    delays = [event.delay or 0 for event in run.events() if event.event == "retryable"]
    assert len(delays) == 2
    # Dramatiq: from min_backoff=20, doubled each time, up to twice that as jitter; max_backoff=60.
    assert 20 <= delays[0] <= 40
    assert 30 <= delays[1] <= 60


def test_the_delay_of_a_raised_retry_is_kept(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["retry", 250], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 2
    retryable, again = [event for event in run.events() if event.step == "a"][1:3]
    assert (retryable.event, retryable.delay) == ("retryable", 250)
    assert again.ts - retryable.ts >= 250


def test_a_raised_retry_consumes_a_retry(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["retry", 1]))
    run = world.finish(flow)
    assert world.runs_of(run, "a") == 3  # max_retries=2
    assert run.status().steps["a"].reason == "Retry: again"


def _single(lab: Lab, actor: Any, **options: Any) -> Workflow:
    flow = Workflow("flow")
    flow.add("a", actor.message_with_options(**options))
    return flow


def _state(run: WorkflowRun) -> tuple[StepState, str]:
    step = run.status().steps["a"]
    return step.state, step.reason


def test_retry_when_decides_instead_of_max_retries(lab: Lab) -> None:
    asked: list[tuple[int, str]] = []

    def retry_when(retries: int, error: BaseException) -> bool:
        asked.append((retries, str(error)))
        return retries < 4

    @lab.actor(max_retries=1, retry_when=retry_when)
    def work() -> None:
        raise ValueError("boom")

    run = lab.finish(_single(lab, work))
    assert asked == [(retries, "boom") for retries in range(5)]
    assert _state(run) == (StepState.DISCARDED, "ValueError: boom")
    assert run.status().steps["a"].attempt == 5


def test_on_retry_exhausted_gets_the_message_of_the_step(lab: Lab) -> None:
    @lab.plain_actor
    def too_often(message: dict[str, Any], info: dict[str, Any]) -> None:
        lab.note(f"{message['actor_name']} {info['retries']}/{info['max_retries']}")

    @lab.actor(max_retries=1, on_retry_exhausted="too_often")
    def work() -> None:
        raise ValueError("boom")

    with lab.working():
        run = lab.run(_single(lab, work))
        lab.wait_note("work 1/1")
        run.wait(timeout=30_000)
    assert lab.notes == ["work 1/1"]
    assert _state(run) == (StepState.DISCARDED, "ValueError: boom")


def test_an_actor_over_its_time_limit_is_interrupted_and_retried(lab: Lab) -> None:
    @lab.actor(time_limit=100)
    def work() -> str:
        if lab.note("started") == 1:
            _busy_until_interrupted()
        return "done"

    run = lab.finish(_single(lab, work))
    assert run.result("a") == "done"
    assert lab.events_of(run, "a") == ["executing", "retryable", "executing", "completed"]
    retryable = next(event for event in run.events() if event.event == "retryable")
    assert retryable.error == "TimeLimitExceeded"


def test_an_actor_over_its_time_limit_without_retries_is_discarded(lab: Lab) -> None:
    @lab.actor(time_limit=100, max_retries=0)
    def work() -> None:
        _busy_until_interrupted()

    run = lab.finish(_single(lab, work))
    assert _state(run) == (StepState.DISCARDED, "TimeLimitExceeded")


def test_an_async_actor_over_its_time_limit_is_interrupted_too(lab: Lab) -> None:
    lab.broker.add_middleware(AsyncIO())

    @lab.actor(time_limit=100, max_retries=0)
    async def work() -> None:
        await asyncio.Event().wait()

    run = lab.finish(_single(lab, work))
    assert _state(run) == (StepState.DISCARDED, "TimeLimitExceeded")


def test_a_retry_without_a_delay_of_its_own_backs_off(lab: Lab) -> None:
    @lab.actor
    def work() -> str:
        if lab.note("started") == 1:
            raise Retry("again")
        return "done"

    run = lab.finish(_single(lab, work))
    assert run.result("a") == "done"
    assert lab.events_of(run, "a") == ["executing", "retryable", "executing", "completed"]


def _busy_until_interrupted() -> None:
    while True:
        time.sleep(0.005)  # the actor is busy; the exception that ends it arrives between two calls
