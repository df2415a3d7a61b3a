"""Contract 3, point 4: while a worker holds a live lease on a step, another delivery of it is dropped."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Middleware

from dramatiq_baton import BatonMiddleware, Discard, Snooze, StepState, Workflow
from tests.support.lab import Lab, Log, stock
from tests.support.own import MakeLab


def test_a_duplicate_is_dropped_while_its_step_is_executed(lab: Lab, log: Log) -> None:
    told = threading.Event()

    @lab.actor
    def work() -> str:
        lab.note("ran")
        assert told.wait(30)
        return "done"

    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("ran")
        for _ in range(3):
            lab.broker.enqueue(lab.sent.of("a"))
        log.wait(f"dropped a duplicate: its step is being executed workflow='{run.id}' step='a'", times=3)
        told.set()
        run.wait(timeout=30_000)
    assert lab.notes == ["ran"]
    assert lab.events_of(run, "a") == ["executing", "completed"]


def test_a_message_that_is_delivered_many_times_at_once_runs_the_actor_once(lab: Lab) -> None:
    @lab.actor
    def work() -> int:
        return lab.note("ran")

    flow = Workflow("flow")
    flow.add("a", work.message())
    flow.add("b", work.message(), deps="a")
    run = lab.run(flow)
    for _ in range(50):
        lab.broker.enqueue(lab.sent.of("a"))
    with lab.working(threads=8):
        run.wait(timeout=30_000)
    assert lab.notes == ["ran", "ran"]
    assert run.results() == {"a": 1, "b": 2}
    assert lab.events_of(run, "a").count("executing") == 1


class Tripling(Middleware):
    """Sends each message of a step three times."""

    def __init__(self) -> None:
        self.local = threading.local()

    def after_enqueue(self, broker: dramatiq.Broker, message: Message[Any], delay: int | None) -> None:
        if "baton" not in message.options or getattr(self.local, "busy", False):
            return
        self.local.busy = True
        try:
            for _ in range(2):
                broker.enqueue(_undelayed(message), delay=delay)
        finally:
            self.local.busy = False


def _undelayed(message: Message[Any]) -> Message[Any]:
    options = {name: value for name, value in message.options.items() if name != "eta"}
    return Message(
        message.queue_name.removesuffix(".DQ"), message.actor_name, message.args, message.kwargs, options,
        message.message_id, message.message_timestamp,
    )  # fmt: skip


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_whose_every_message_is_delivered_three_times_runs_as_it_should(
    make_lab: MakeLab, dispatch: Any
) -> None:
    def arrange(baton: BatonMiddleware) -> Sequence[Middleware]:
        return [*stock(), baton, Tripling()]

    lab = make_lab(arrange)

    @lab.actor
    def work(name: str, *answers: Any) -> Any:
        run = lab.note(name)
        match answers[run - 1 : run]:
            case ["fail"]:
                raise ValueError("boom")
            case ["snooze"]:
                return Snooze(20)
            case ["discard"]:
                return Discard("no such page")
        return run

    flow = Workflow("flow", ignore_discarded=True)
    root = flow.add("root", work.message("root", "fail", "snooze"))
    parts = [
        flow.add(f"part{i}", work.message(f"part{i}", *["snooze", "fail"][i % 2 :]), deps=[root])
        for i in range(6)
    ]
    flow.add("bad", work.message("bad", "snooze", "discard"), deps=[root])
    flow.add("end", work.message("end"), deps=[*parts, "bad"])
    with lab.working(threads=8):
        run = lab.run(flow, dispatch=dispatch)
        run.wait(timeout=60_000)
    assert run.status().counts == {StepState.COMPLETED: 8, StepState.DISCARDED: 1}
    expected = {"root": 3, **{f"part{i}": 3 - i % 2 for i in range(6)}, "bad": 2, "end": 1}
    assert {name: lab.notes.count(name) for name in expected} == expected
    assert {name: lab.events_of(run, name).count("executing") for name in expected} == expected
    assert [event.event for event in run.events()].count("workflow_finished") == 1
