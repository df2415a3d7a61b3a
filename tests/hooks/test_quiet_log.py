"""Contract 7: what is normal in a workflow leaves no warning in the log; what isn't a step's is warned of as ever."""

from __future__ import annotations

import threading
from typing import Any

import dramatiq
import pytest
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from dramatiq_baton import Cancel, Snooze, Workflow
from tests.support.lab import Lab, Log, baton_last
from tests.support.own import MakeLab


@pytest.fixture(params=["without Results", "with Results"])
def lab(request: pytest.FixtureRequest, make_lab: MakeLab) -> Lab:
    if request.param == "without Results":
        return make_lab()
    return make_lab(lambda baton: [Results(backend=StubBackend()), *baton_last(baton)])


def _declare(lab: Lab) -> Any:
    @lab.actor
    def work(name: str = "a", *answers: str) -> Any:
        run = lab.note(name)
        match answers[run - 1 : run]:
            case ["snooze"]:
                return Snooze(10)
            case ["busy"]:
                raise dramatiq.RateLimitExceeded("too fast")
            case ["cancel"]:
                raise Cancel("nothing to do")
        return "a value"

    return work


def test_returned_values_are_not_warned_of(lab: Lab, log: Log) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("b", work.message("b"), deps=[flow.add("a", work.message("a"))])
    lab.finish(flow)
    assert log.warnings == []


def test_snoozes_are_not_warned_of(lab: Lab, log: Log) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message("a", "snooze", "busy", "snooze"))
    run = lab.finish(flow)
    assert lab.events_of(run, "a").count("snoozed") == 3
    assert log.warnings == []


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_steps_that_wait_or_are_released_are_not_warned_of(lab: Lab, log: Log, dispatch: Any) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    previous = flow.add("step 0", work.message("step 0"))
    for number in range(1, 8):
        name = f"step {number}"
        previous = flow.add(name, work.message(name, "snooze"), deps=[previous])
    lab.finish(flow, dispatch=dispatch)
    assert log.warnings == []


def test_steps_that_are_cancelled_are_not_warned_of(lab: Lab, log: Log) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    flow.add("a", work.message("a", "cancel"))
    flow.add("b", work.message("b"), deps="a")
    lab.finish(flow)
    assert log.warnings == []


def test_duplicates_are_not_warned_of(lab: Lab, log: Log) -> None:
    told = threading.Event()

    @lab.actor
    def slow() -> str:
        lab.note("ran")
        assert told.wait(30)
        return "slow"

    flow = Workflow("flow")
    flow.add("a", slow.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("ran")
        lab.broker.enqueue(lab.sent.of("a"))
        log.wait("dropped a duplicate")
        told.set()
        run.wait(timeout=30_000)
        lab.broker.enqueue(lab.sent.of("a"))
        lab.wait_event(run, lambda event: event.cached)
    assert log.warnings == []


def test_a_retry_is_told_by_dramatiq_alone(lab: Lab, log: Log) -> None:
    @lab.actor
    def work() -> str:
        if lab.note("ran") == 1:
            raise ValueError("boom")
        return "a value"

    flow = Workflow("flow")
    flow.add("a", work.message())
    lab.finish(flow)
    assert log.warnings == ["Failed to process message work() with unhandled exception."]


def test_plain_messages_are_warned_of_as_ever(lab: Lab, log: Log) -> None:
    work = _declare(lab)

    @lab.plain_actor
    def returning() -> str:
        return "a value that nobody stores"

    @lab.plain_actor
    def skipping() -> None:
        raise dramatiq.middleware.SkipMessage("not today")

    flow = Workflow("flow")
    flow.add("a", work.message("a", "snooze"))
    with lab.working(threads=1):  # one thread, which worked on a step just before
        lab.run(flow).wait(timeout=30_000)
        returning.send()
        log.wait("Actor 'returning' returned a value that is not None")
        skipping.send()
        log.wait("Message skipping() was skipped.")
        work.send("plain")
        log.wait("Actor 'work' returned a value that is not None")
    assert len(log.warnings) == 3
