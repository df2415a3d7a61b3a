"""``run_workflow`` runs actors in the calling thread, and gives back all that is known of the workflow."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import dramatiq
import pytest
from dramatiq import Broker
from dramatiq.middleware import AsyncIO, CurrentMessage

from dramatiq_baton import (
    BatonMiddleware,
    ConfigurationError,
    CycleError,
    NotAWorkflowActor,
    ResultMissing,
    StepState,
    UnknownStep,
    Workflow,
    WorkflowState,
    current_step,
    quiet,
    workflow_actor,
)
from dramatiq_baton.testing import FinishedWorkflow, run_workflow
from tests.support.lab import Log
from tests.support.recorder import Recorder

from .shop import Shop

Run = Callable[..., FinishedWorkflow]
colour: ContextVar[str] = ContextVar("colour", default="none")
PREFIX = "real"


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_results_are_passed_on(shop: Shop, run: Run, dispatch: str) -> None:
    @shop.actor
    def number(value: int) -> int:
        return value

    @shop.actor
    def add(parts: list[int], *, more: int) -> int:
        return sum(parts) + more + current_step().results["more"]  # type: ignore[union-attr]

    flow = Workflow("diamond")
    root = flow.add("root", number.message(1))
    sides = [flow.add(f"side {side}", number.message(root)) for side in range(100)]
    flow.add("sum", add.message(sides, more=flow.add("more", number.message(1000))))
    finished = run(flow, dispatch=dispatch)
    assert finished.result("sum") == 2100
    assert finished.state is WorkflowState.COMPLETED
    assert finished.counts == {StepState.COMPLETED: 103}


def test_what_is_given_back_outlives_the_data(shop: Shop, run: Run) -> None:
    @shop.actor
    def ask() -> str:
        current_step().record_usage(model="gpt-4o-mini", input_tokens=1_000_000, output_tokens=0)  # type: ignore[union-attr]
        return "answer"

    flow = Workflow("flow")
    asked = flow.add("ask", ask.message())
    flow.add("failing", shop.work.message("failing", "discard"))
    finished = run(flow)
    assert finished.result(asked) == finished.result("ask") == "answer"
    assert finished.results == {"ask": "answer"}
    assert finished.failed_steps == ("failing",)
    assert finished.usage.total.cost == finished.cost == Decimal("0.15")
    kinds = [event.event for event in finished.events]
    assert (kinds[0], kinds[-1]) == ("workflow_started", "workflow_finished")
    with pytest.raises(ResultMissing, match=r"'failing' .* has no result; it is discarded: no such page"):
        finished.result("failing")
    with pytest.raises(UnknownStep, match="no step 'nothing'"):
        finished.result("nothing")


def test_actors_run_in_the_calling_thread_and_see_its_context(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @shop.actor
    def look() -> list[Any]:
        seen = [threading.get_ident(), colour.get(), PREFIX]
        colour.set("the actor's")
        return seen

    flow = Workflow("flow")
    flow.add("a", look.message())
    monkeypatch.setattr(f"{__name__}.PREFIX", "patched")
    colour.set("the test's")
    assert run(flow).result("a") == [threading.get_ident(), "the test's", "patched"]
    assert colour.get() == "the test's"


@pytest.mark.parametrize("with_middleware", [False, True])
def test_async_actors_run(shop: Shop, run: Run, broker: Broker, with_middleware: bool) -> None:
    if with_middleware:
        broker.add_middleware(AsyncIO())

    @shop.actor
    async def double(value: int) -> tuple[int, str]:
        await asyncio.sleep(0)
        return value * 2, colour.get()

    flow = Workflow("flow")
    flow.add("a", double.message(21))
    colour.set("the test's")
    for _ in range(2):
        assert run(flow).result("a") == (42, "the test's")
    assert not [thread for thread in threading.enumerate() if type(thread).__name__ == "EventLoopThread"]


def test_the_middleware_of_the_broker_is_around_the_actors(shop: Shop, run: Run, broker: Broker) -> None:
    class Counting(dramatiq.Middleware):
        def before_process_message(self, broker: Broker, message: Any) -> None:
            shop.notes.append("before")

        def after_process_message(self, broker: Broker, message: Any, **_: Any) -> None:
            shop.notes.append("after")

    broker.add_middleware(Counting())
    broker.add_middleware(CurrentMessage())

    @shop.actor
    def look() -> str:
        shop.notes.append("actor")
        return str(CurrentMessage.get_current_message().actor_name)  # type: ignore[union-attr]

    flow = Workflow("flow")
    flow.add("a", look.message())
    assert run(flow).result("a") == "look"
    assert shop.notes == ["before", "actor", "after"]


def test_the_log_is_as_quiet_as_a_workers(shop: Shop, run: Run, log: Log) -> None:
    for name in quiet.LOGGERS:  # another test may have started a worker
        logging.getLogger(name).filters.clear()
    run(shop.flow(1000, "busy"), dispatch="eager")
    assert log.warnings == []


def test_steps_run_in_the_order_in_which_they_were_sent_whatever_their_queues(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    names = [f"{number}" for number in range(12)]
    for name in names:
        queue = f"queue {int(name) * 7 % 5}"
        shop.broker.declare_queue(queue)
        flow.add(name, shop.work.message(name).copy(queue_name=queue))
    run(flow)
    assert shop.notes == names


def test_a_workflow_can_be_run_again(shop: Shop, run: Run) -> None:
    flow = shop.flow()
    assert [run(flow).result("a") for _ in range(3)] == ["a 1", "a 2", "a 3"]


def test_the_global_broker_is_used_if_none_is_given(shop: Shop, broker: Broker) -> None:
    before = dramatiq.broker.global_broker
    dramatiq.set_broker(broker)
    try:
        assert run_workflow(shop.flow()).result("a") == "a 1"
    finally:
        dramatiq.broker.global_broker = before


def test_options_of_the_middleware_hold(run: Run) -> None:
    from dramatiq.brokers.stub import StubBroker

    from dramatiq_baton import BatonMiddleware

    broker = StubBroker()
    broker.add_middleware(BatonMiddleware(url="redis://127.0.0.1:1/0", max_result_size=100))
    shop = Shop(broker)

    @shop.actor
    def large() -> str:
        return "x" * 1000

    flow = Workflow("flow")
    flow.add("a", large.message())
    finished = run_workflow(flow, broker=broker)
    assert finished.steps["a"].reason.startswith("ResultTooLarge: the result of step 'a'")


def test_errors_are_those_of_run(shop: Shop, run: Run) -> None:
    cycle = Workflow("flow")
    cycle.add("a", shop.work.message("a"), deps="b")
    cycle.add("b", shop.work.message("b"), deps="a")
    with pytest.raises(CycleError):
        run(cycle)
    plain = Workflow("flow")
    plain.add("a", shop.plain_actor(lambda: None, actor_name="plain").message())
    with pytest.raises(NotAWorkflowActor, match="'plain'"):
        run(plain)
    with pytest.raises(ConfigurationError, match=r"takes a Workflow, not Message\("):
        run(shop.work.message("a"))
    with pytest.raises(ConfigurationError, match="the workflow's delay"):
        run(shop.flow(), delay=-1)
    assert shop.notes == []


def test_a_broker_without_the_middleware_is_refused(shop: Shop) -> None:
    from dramatiq.brokers.stub import StubBroker

    with pytest.raises(ConfigurationError, match="no BatonMiddleware"):
        run_workflow(shop.flow(), broker=StubBroker())


def test_the_users_observers_are_told(broker: Broker) -> None:
    recorder = Recorder()
    broker.middleware.pop()
    broker.add_middleware(BatonMiddleware(observers=[recorder]))

    @workflow_actor(broker=broker)
    def act() -> None: ...

    flow = Workflow("observed")
    flow.add("a", act.message())
    run_workflow(flow, broker=broker)
    assert recorder.states_of("a") == ["executing", "completed"]
