"""A step that has its lease and waits for its turn: in its worker's thread, and no call is made before."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from dramatiq import Broker, Message, Middleware
from dramatiq.middleware import Interrupt, Shutdown, TimeLimitExceeded
from dramatiq.threading import raise_thread_exception

from dramatiq_baton import Snooze, Workflow
from dramatiq_baton.interruption import StepCancelled
from dramatiq_baton.llm import llm_actor
from dramatiq_baton.metering import Meter
from dramatiq_baton.pacing import wait_for_turn
from dramatiq_baton.pricing import PublicPrices
from dramatiq_baton.step import Step
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.lab import Lab, Sent
from tests.support.lanes import Lane


def test_an_actor_is_not_called_before_its_turn(lab: Lab) -> None:
    called: list[float] = []
    lane = Lane(lab.world, "work")

    @llm_actor(broker=lab.broker)
    def work() -> str:
        called.append(lane.now())
        return "done"

    flow = Workflow("flow")
    flow.add("a", work.message())
    turn = lane.now() + 800
    lane.set(next=turn)
    run = lab.finish(flow)
    assert called[0] >= turn
    assert lab.events_of(run, "a") == ["executing", "completed"]
    step = run.status().steps["a"]
    assert step.attempt == 1
    assert (step.started_at or 0) >= turn  # the wait is no part of how long it took


class RefusedBefore(Middleware):
    """Makes the first message of a step one of a step that was refused once."""

    done = False

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if not self.done:
            message.options["baton"] = {**message.options["baton"], "refusals": 1}
            self.done = True


def test_a_wait_for_a_turn_is_no_refusal_and_ends_no_row_of_them(lab: Lab) -> None:
    lab.broker.add_middleware(RefusedBefore(), before=Sent)

    @llm_actor(broker=lab.broker)
    def work() -> None: ...

    flow = Workflow("flow")
    flow.add("a", work.message())
    lane = Lane(lab.world, "work")
    lane.set(next=lane.now() + 60_000)
    run = lab.run(flow)
    with lab.working():
        assert lab.wait_event(run, lambda event: event.step == "a").event == "snoozed"
    options = [message.options["baton"] for message in lab.sent.messages]
    assert {option["refusals"] for option in options if option["seq"] == 1} == {1}
    assert run.status().steps["a"].attempt == 0
    run.cancel()


@pytest.fixture
def step(by_hand: ByHand) -> Step:
    address = Address("w", "a")
    meter = Meter(by_hand.store, address, 1, PublicPrices())
    return Step(by_hand.store, address, workflow_name="flow", attempt=1, meter=meter)


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [(Shutdown, Shutdown), (StepCancelled, StepCancelled), (TimeLimitExceeded, Snooze)],
)
def test_an_interrupt_ends_the_wait(
    step: Step, raised: type[Interrupt], becomes: type[BaseException]
) -> None:
    ended: list[BaseException] = []
    waiting = threading.Event()

    def wait() -> None:
        try:
            waiting.set()
            wait_for_turn(time.monotonic() + 600, step, snooze_delay=7)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert waiting.wait(30)
    raise_thread_exception(thread.ident, raised)  # type: ignore[no-untyped-call]
    thread.join(30)
    assert [type(error) for error in ended] == [becomes]


def test_a_step_that_is_cancelled_meanwhile_does_not_call(step: Step) -> None:
    step.cancelled = True
    with pytest.raises(StepCancelled):
        wait_for_turn(time.monotonic() + 600, step, snooze_delay=7)


def test_a_step_whose_turn_has_come_does_not_wait(step: Step) -> None:
    step.cancelled = True  # it is for the actor to look
    wait_for_turn(0, step, snooze_delay=7)
