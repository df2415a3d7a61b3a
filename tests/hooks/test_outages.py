"""Contract 7: what an actor has answered is kept over an outage of Redis, however it is away."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import Discard, Snooze, StepState, Workflow, WorkflowState
from tests.support.lab import Lab, Log
from tests.support.state_server import StateServer
from tests.support.world import World


def _run_through_an_outage(lab: Lab, server: StateServer, log: Log, outage: Any, answer: Any) -> Any:
    """Run a workflow of two steps; Redis is away when the first one answers."""

    @lab.actor
    def work() -> Any:
        if lab.note("a") > 1:
            return "second run"
        outage(server)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    @lab.actor
    def follow() -> str:
        lab.note("b")
        return "followed"

    flow = Workflow("flow", ignore_discarded=True)
    flow.add("a", work.message())
    flow.add("b", follow.message(), deps="a")
    with lab.working():
        run = lab.run(flow)
        log.wait("Redis doesn't answer; kept until it does")
        assert lab.notes == ["a"]
        server.bring_back()
        run.wait(timeout=30_000)
    assert run.result("b") == "followed"
    assert lab.notes.count("b") == 1
    return run


def test_a_result_is_kept(impatient_lab: Lab, state_server: StateServer, log: Log, outage: Any) -> None:
    run = _run_through_an_outage(impatient_lab, state_server, log, outage, {"expensive": True})
    assert run.result("a") == {"expensive": True}
    assert impatient_lab.notes == ["a", "b"]
    assert impatient_lab.events_of(run, "a") == ["executing", "completed"]
    assert run.status().state is WorkflowState.COMPLETED


def test_a_discard_is_kept(impatient_lab: Lab, state_server: StateServer, log: Log, outage: Any) -> None:
    run = _run_through_an_outage(impatient_lab, state_server, log, outage, Discard("no such page"))
    assert run.status().steps["a"].reason == "no such page"
    assert impatient_lab.events_of(run, "a") == ["executing", "discarded"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [(Snooze(10), "snoozed"), (ValueError("boom"), "retryable")],
    ids=["snooze", "failure"],
)
def test_a_snooze_or_a_failure_is_kept(
    impatient_lab: Lab, state_server: StateServer, log: Log, outage: Any, answer: Any, told: str
) -> None:
    run = _run_through_an_outage(impatient_lab, state_server, log, outage, answer)
    assert run.result("a") == "second run"
    assert impatient_lab.events_of(run, "a") == ["executing", told, "executing", "completed"]


def test_redis_restarts_between_steps_and_nobody_notices(
    impatient_lab: Lab, state_server: StateServer, log: Log
) -> None:
    lab = impatient_lab

    @lab.actor
    def work(number: int) -> int:
        state_server.stop()
        state_server.start()
        lab.note("ran")
        return number

    flow = Workflow("flow")
    previous: Any = ()
    for number in range(4):
        previous = flow.add(f"a{number}", work.message(number), deps=previous)
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("ran", times=4)  # what waits in a blocking command does notice
        run.wait(timeout=30_000)
    assert run.status().counts == {StepState.COMPLETED: 4}
    assert [event.event for event in run.events()].count("executing") == 4
    assert log.warnings == []


def test_a_submitter_works_on_at_once_when_redis_was_restarted(
    split_world: World, state_server: StateServer
) -> None:
    flow = split_world.flow()
    flow.add("a", split_world.act(["value", 1]))
    run = split_world.run(flow)
    state_server.stop()
    state_server.start()
    assert run.status().total == 1  # its connection broke while it was idle
    state_server.stop()
    state_server.start()
    with split_world.worker_running():
        run.wait(timeout=30_000)
    assert run.results() == {"a": 1}
