"""Contract 7: a retry may reach another worker before its first delivery is over; it must not be lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Middleware

from dramatiq_baton import BatonMiddleware, Snooze, StepState, Workflow
from tests.support.lab import stock
from tests.support.own import MakeLab
from tests.support.world import World


class HoldUp(Middleware):
    """Keeps a worker thread that has just sent a step again, until the step has run again elsewhere."""

    def __init__(self) -> None:
        self.until: Any = None

    def after_enqueue(self, broker: dramatiq.Broker, message: Message[Any], delay: int | None) -> None:
        if "baton" in message.options and delay is not None:
            self.until()


@pytest.mark.parametrize("position", ["first", "before Retries", "last"])
@pytest.mark.parametrize("answer", ["fail", "snooze"])
def test_a_step_that_comes_back_before_its_first_delivery_is_over_runs(
    make_lab: MakeLab, position: str, answer: str
) -> None:
    hold_up = HoldUp()

    def arrange(baton: BatonMiddleware) -> Sequence[Middleware]:
        others = [*stock(), hold_up]
        where = {"first": 0, "before Retries": 5, "last": len(others)}[position]
        return [*others[:where], baton, *others[where:]]

    lab = make_lab(arrange, rescue_interval=600_000)
    hold_up.until = lambda: lab.wait_note("second run")

    @lab.actor(min_backoff=1, max_backoff=1)
    def work() -> Any:
        if lab.note("run") == 1:
            if answer == "snooze":
                return Snooze(1)
            raise ValueError("boom")
        lab.note("second run")
        return "value"

    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.finish(flow)
    assert run.result("a") == "value"
    again = {"fail": "retryable", "snooze": "snoozed"}[answer]
    assert lab.events_of(run, "a") == ["executing", again, "executing", "completed"]


def test_no_retry_is_lost_between_two_busy_workers(own_world: World) -> None:
    world = own_world
    flow = world.flow()
    options = {"min_backoff": 1, "max_backoff": 1}
    for number in range(60):
        orders = [["fail", "one"], ["snooze", 0], ["fail", "two"], ["attempt"]]
        flow.add(f"a{number}", world.actors.act.message_with_options(args=(orders,), **options))
    no_rescue = {"BATON_TEST_RESCUE_INTERVAL": "600000"}
    with (
        world.worker_running(env=no_rescue, wait=False) as one,
        world.worker_running(env=no_rescue, wait=False) as two,
    ):
        one.wait_ready()
        two.wait_ready()
        run = world.run(flow)
        run.wait(timeout=60_000)
    assert run.status().counts == {StepState.COMPLETED: 60}
    assert set(run.results().values()) == {4}
    workers = {event.worker for event in run.events() if event.event == "executing"}
    assert len(workers) == 2
