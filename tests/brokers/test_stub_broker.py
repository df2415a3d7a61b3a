"""Contract 2: with a ``StubBroker`` and a worker in the same process, as users' own tests have it."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import (
    BatonMiddleware,
    ConfigurationError,
    Discard,
    Snooze,
    StepState,
    Workflow,
    WorkflowState,
)
from tests.support.lab import Lab
from tests.support.own import MakeLab


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(kind="stub")


def _declare(lab: Lab) -> Any:
    @lab.actor
    def work(name: str, *answers: str) -> Any:
        run = lab.note(name)
        match answers[run - 1 : run]:
            case ["fail"]:
                raise ValueError("boom")
            case ["snooze"]:
                return Snooze(10)
            case ["discard"]:
                return Discard("no such page")
        return f"{name} {run}"

    return work


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_of_every_kind_of_step_runs(lab: Lab, dispatch: Any) -> None:
    work = _declare(lab)

    @lab.actor
    def collect(parts: list[Any]) -> list[Any]:
        return parts

    flow = Workflow("flow", ignore_discarded=True)
    root = flow.add("root", work.message("root"))
    parts = [flow.add(f"part{i}", work.message(f"part{i}"), deps=[root]) for i in range(10)]
    parts += [
        flow.add("retried", work.message("retried", "fail", "fail"), deps=[root]),
        flow.add("snoozed", work.message("snoozed", "snooze", "snooze"), deps=[root]),
        flow.add("discarded", work.message("discarded", "snooze", "discard"), deps=[root]),
    ]
    flow.add("end", collect.message(parts))
    run = lab.finish(flow, dispatch=dispatch)
    assert run.result("end") == [*(f"part{i} 1" for i in range(10)), "retried 3", "snoozed 3", None]
    assert run.status().counts == {StepState.COMPLETED: 14, StepState.DISCARDED: 1}
    assert run.status().state is WorkflowState.FAILED


def test_joining_the_broker_and_the_worker_waits_for_the_whole_workflow(lab: Lab) -> None:
    work = _declare(lab)
    flow = Workflow("flow")
    previous: Any = ()
    for number in range(5):
        name = f"step {number}"
        previous = flow.add(name, work.message(name, "snooze", "fail"), deps=previous)
    with lab.working() as worker:
        run = lab.run(flow)
        lab.broker.join("default", timeout=30_000)
        worker.join()
        status = run.status()
    assert status.state is WorkflowState.COMPLETED


def test_a_stub_broker_needs_to_be_told_where_redis_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_REDIS_URL", raising=False)
    broker = StubBroker()
    broker.add_middleware(BatonMiddleware())
    with pytest.raises(ConfigurationError, match="give it client= or url=, or set BATON_REDIS_URL"):
        dramatiq.Worker(broker, worker_threads=1).start()


def test_a_stub_broker_finds_redis_in_the_environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_REDIS_URL", lab.world.url)
    other = Lab(lab.world, kind="stub", url=None)
    work = _declare(other)
    flow = Workflow("flow")
    flow.add("a", work.message("a"))
    assert other.finish(flow).results() == {"a": "a 1"}
