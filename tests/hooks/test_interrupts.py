"""Contract 7: what Dramatiq raises in a worker thread may land in Baton's own code. It must change nothing there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Middleware

from dramatiq_baton import BatonMiddleware, Cancel, Discard, Snooze, StepState, Workflow, WorkflowRun
from tests.support.lab import Lab, Log
from tests.support.state_server import StateServer
from tests.support.world import World

TIME_LIMIT_LOGGED = "Time limit exceeded. Raising exception in worker thread"


def _single(lab: Lab, actor: Any, **options: Any) -> WorkflowRun:
    flow = Workflow("flow")
    flow.add("a", actor.message_with_options(**options))
    return lab.run(flow)


def test_a_time_limit_that_comes_while_a_result_is_stored_changes_nothing(
    impatient_lab: Lab, state_server: StateServer, log: Log, outage: Any
) -> None:
    lab = impatient_lab

    @lab.actor(time_limit=150)
    def work() -> str:
        lab.note("ran")
        outage(state_server)
        return "value"

    with lab.working():
        run = _single(lab, work)
        log.wait(TIME_LIMIT_LOGGED)
        log.wait("Redis doesn't answer; kept until it does")
        state_server.bring_back()
        run.wait(timeout=30_000)
    assert run.result("a") == "value"
    assert lab.notes == ["ran"]
    assert lab.events_of(run, "a") == ["executing", "completed"]
    assert log.lines("Failed to process message") == []


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (Discard("no such page"), StepState.DISCARDED, "discarded"),
        (Cancel("nothing to do"), StepState.CANCELLED, "cancelled"),
        (Snooze(10), StepState.COMPLETED, "snoozed"),
        (ValueError("boom"), StepState.COMPLETED, "retryable"),
    ],
    ids=["discard", "cancel", "snooze", "failure"],
)
def test_a_time_limit_that_comes_while_another_answer_is_stored_changes_nothing(
    impatient_lab: Lab, state_server: StateServer, log: Log, answer: Exception, state: StepState, told: str
) -> None:
    lab = impatient_lab

    @lab.actor(time_limit=150, max_retries=1)
    def work() -> str:
        if lab.note("ran") > 1:
            return "value"
        state_server.stop()
        raise answer

    with lab.working():
        run = _single(lab, work)
        log.wait(TIME_LIMIT_LOGGED)
        log.wait("Redis doesn't answer; kept until it does")
        state_server.bring_back()
        run.wait(timeout=30_000)
    assert run.status().steps["a"].state is state
    assert lab.events_of(run, "a")[:2] == ["executing", told]
    assert lab.notes.count("ran") == (2 if state is StepState.COMPLETED else 1)


def test_a_shutdown_that_comes_while_a_result_is_stored_changes_nothing(
    impatient_lab: Lab, state_server: StateServer, log: Log
) -> None:
    lab = impatient_lab

    @lab.actor(notify_shutdown=True, max_retries=0)
    def work() -> str:
        lab.note("ran")
        state_server.stop()
        return "value"

    with lab.working() as worker:
        run = _single(lab, work)
        log.wait("Redis doesn't answer; kept until it does")
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        log.wait("Worker shutdown notification. Raising exception")
        state_server.bring_back()
        stopping.join(30)
    assert run.status().steps["a"].state is StepState.COMPLETED
    assert run.result("a") == "value"
    assert lab.notes == ["ran"]


def _work_that_fails_once(lab: Lab, **options: Any) -> Any:
    """With ``max_retries=1``, a retry that an interrupted gate consumed is one too few."""

    @lab.actor(max_retries=1, **options)
    def work() -> str:
        if lab.note("ran") == 1:
            raise ValueError("boom")
        return "value"

    return work


@pytest.fixture
def interruptible_lab(split_world: World, state_server: StateServer, valkey_url: str) -> Iterator[Lab]:
    """A lab in which the gate is asked when interrupts may come already: Baton stands last."""
    url = f"{state_server.url}?socket_timeout=0.2&socket_connect_timeout=0.2"
    lab = Lab(split_world, broker_url=valkey_url, url=url, lease_ttl=600_000, rescue_interval=600_000)
    yield lab
    lab.close()


def test_a_time_limit_that_comes_while_the_gate_is_asked_consumes_no_retry(
    interruptible_lab: Lab, state_server: StateServer, log: Log, outage: Any
) -> None:
    lab = interruptible_lab
    run = _single(lab, _work_that_fails_once(lab, time_limit=150))
    outage(state_server)
    with lab.working():
        log.wait(TIME_LIMIT_LOGGED, times=3)
        assert lab.notes == []
        state_server.bring_back()
        run.wait(timeout=30_000)
    assert run.result("a") == "value"
    assert lab.notes == ["ran", "ran"]
    assert lab.events_of(run, "a").count("retryable") == 1
    assert log.lines("Retries exceeded") == []


def test_a_shutdown_that_comes_while_the_gate_is_asked_consumes_no_retry(
    interruptible_lab: Lab, state_server: StateServer, log: Log, outage: Any
) -> None:
    lab = interruptible_lab
    run = _single(lab, _work_that_fails_once(lab, notify_shutdown=True))
    outage(state_server)
    with lab.working() as worker:
        lab.wait_received()
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        log.wait("Worker shutdown notification. Raising exception")
        stopping.join(60)
        assert lab.notes == []
    state_server.bring_back()
    with lab.working():
        run.wait(timeout=30_000)
    assert run.result("a") == "value"
    assert lab.notes == ["ran", "ran"]
    assert log.lines("Retries exceeded") == []


def test_an_interrupt_that_comes_when_the_gate_has_answered_hands_the_step_back(lab: Lab, log: Log) -> None:
    """The lease is taken, and a middleware behind Baton takes longer than the actor's time limit."""
    lab.broker.add_middleware(SlowOnce(lab))
    with lab.working():
        run = _single(lab, _work_that_fails_once(lab, time_limit=100))
        run.wait(timeout=30_000)
    assert run.result("a") == "value"
    assert lab.notes.count("ran") == 2
    assert _told(run) == [
        "executing", "snoozed", "executing", "retryable", "executing", "completed",
    ]  # fmt: skip


def test_an_interrupt_that_comes_before_the_gate_is_asked_hands_the_message_back(lab: Lab, log: Log) -> None:
    """A middleware before Baton takes longer than the actor's time limit."""
    lab.broker.add_middleware(SlowOnce(lab), before=BatonMiddleware)

    @lab.actor(max_retries=0, time_limit=100)
    def work() -> str:
        lab.note("ran")
        return "value"

    with lab.working():
        run = _single(lab, work)
        run.wait(timeout=30_000)
    assert run.result("a") == "value"
    assert lab.notes.count("ran") == 1
    assert _told(run) == ["executing", "completed"]


def _told(run: WorkflowRun) -> list[str]:
    """The events but for those of the message that Dramatiq's ``Retries`` sent, which comes too late."""
    return [event.event for event in run.events() if event.step and not event.cached]


class SlowOnce(Middleware):
    """Is busy with the first message for as long as nothing interrupts it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        if self.lab.note("slow") == 1:
            while True:
                time.sleep(0.005)
