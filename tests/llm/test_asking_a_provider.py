"""An LLM actor's step, a real worker, and a provider that answers, refuses, fails or is gone."""

from __future__ import annotations

import pytest

from dramatiq_baton import StepState, WorkflowRun
from tests.support.llm_actors import MAX_BACKOFF, MIN_BACKOFF
from tests.support.llm_provider import Reply, answer, error, hang_up, stall, stream_cut

from .conftest import Desk, told

CLIENTS = pytest.mark.parametrize(
    "client", ["ask_with_urllib", "ask_with_httpx", "ask_async", "ask_with_openai"]
)


def outcome(run: WorkflowRun) -> tuple[StepState, str]:
    step = run.status().steps["a"]
    return step.state, step.reason


def test_llm_actors_have_a_queue_of_their_own(desk: Desk) -> None:
    run = desk.finish(answer("yes"))
    assert run.result("a") == ["yes", 1]
    assert run.status().steps["a"].queue == "llm"


def test_a_429_snoozes_for_at_least_the_time_named(desk: Desk) -> None:
    run = desk.finish(error(429, "slow down", retry_after="0.5"), answer("yes"))
    assert run.result("a") == ["yes", 2]
    assert desk.world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]
    snoozed, again = [event for event in run.events() if event.step == "a"][1:3]
    assert 500 <= (snoozed.delay or 0) <= 625
    assert snoozed.reason == "refused: status 429: slow down"
    assert again.ts - snoozed.ts >= 500


def test_refusals_without_a_time_snooze_longer_and_longer(desk: Desk) -> None:
    run = desk.finish(*[error(429), error(503)] * 3, answer("yes"))
    assert run.result("a") == ["yes", 7]
    assert not told(run, "retryable")  # max_retries=2, and none was used
    delays = [event.delay or 0 for event in told(run, "snoozed")]
    bounds = [min(MIN_BACKOFF * 2**times, MAX_BACKOFF) for times in range(6)]
    assert all(bound // 2 <= delay <= bound for delay, bound in zip(delays, bounds, strict=True)), delays


def test_a_failure_with_a_retry_after_is_a_refusal(desk: Desk) -> None:
    run = desk.finish(error(500, retry_after_ms="20"), answer("yes"))
    assert desk.world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_request_that_is_wrong_is_discarded_at_once(desk: Desk, status: int) -> None:
    run = desk.finish(error(status, "no such model; you sent sk-secret-key"), answer("too late"))
    assert outcome(run) == (
        StepState.DISCARDED,
        f"refused for good: status {status}: no such model; you sent ***",
    )
    assert desk.calls == 1
    assert "secret" not in str(list(run.events()))


@pytest.mark.parametrize("status", [408, 409, 500, 502, 504])
def test_a_server_error_is_retried_with_full_jitter(desk: Desk, status: int) -> None:
    run = desk.finish(error(status, "oops"), error(status, "oops"), answer("yes"))
    assert run.result("a") == ["yes", 3]
    retried = told(run, "retryable")
    assert len(retried) == 2
    assert all(event.error.startswith(f"APIStatusError: Error code: {status}") for event in retried)
    assert 1 <= (retried[0].delay or 0) <= MIN_BACKOFF
    assert 1 <= (retried[1].delay or 0) <= 2 * MIN_BACKOFF


def test_without_a_retry_left_it_is_discarded_for_what_the_actor_raised(desk: Desk) -> None:
    run = desk.finish(error(500, "oops"))
    state, reason = outcome(run)
    assert state is StepState.DISCARDED
    assert reason.startswith("APIStatusError: Error code: 500")
    assert desk.calls == 3


@pytest.mark.parametrize(
    ("reply", "timeout", "named"),
    [
        (hang_up, 10, "APIConnectionError: Connection error."),
        (stream_cut, 10, "APIConnectionError: Connection error."),
        (stall, 0.1, "APITimeoutError: Request timed out."),
    ],
    ids=["closed", "cut", "stalled"],
)
def test_a_call_without_an_answer_is_retried(desk: Desk, reply: Reply, timeout: float, named: str) -> None:
    run = desk.finish(reply, answer("yes"), timeout=timeout)
    assert run.result("a") == ["yes", 2]
    assert [event.error for event in told(run, "retryable")] == [named]


def test_a_step_that_is_refused_too_often_is_discarded(desk: Desk) -> None:
    run = desk.finish(error(429, "slow down", retry_after_ms="1"), actor="ask_impatiently")
    assert outcome(run) == (
        StepState.DISCARDED,
        "refused 4 times in a row, max_refusals is 3: status 429: slow down",
    )
    assert desk.calls == 4
    assert len(told(run, "snoozed")) == 3


def test_another_answer_ends_a_row_of_refusals(desk: Desk) -> None:
    refusals = [error(429, retry_after_ms="1")] * 3
    run = desk.finish(
        *refusals, error(500), *refusals, hang_up, *refusals, answer("yes"), actor="ask_impatiently"
    )
    assert run.result("a") == "yes"
    assert desk.calls == 12


@CLIENTS
def test_clients_need_not_be_known(desk: Desk, client: str) -> None:
    run = desk.finish(error(429, retry_after="0.05"), error(500), answer("yes"), actor=client)
    assert "yes" in run.result("a")
    events = ["executing", "snoozed", "executing", "retryable", "executing", "completed"]
    assert desk.world.events_of(run, "a") == events


@CLIENTS
def test_the_reason_holds_no_key(desk: Desk, client: str) -> None:
    run = desk.finish(error(401, "no such user"), actor=client)
    state, reason = outcome(run)
    assert state is StepState.DISCARDED
    assert reason.startswith("refused for good: status 401: ")
    assert ("no such user" in reason) == (client != "ask_with_urllib")  # its body may be read only once
    assert "secret" not in str(list(run.events()))
