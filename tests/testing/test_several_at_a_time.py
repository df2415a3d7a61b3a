"""Several ``run_workflow`` at a time: one in an actor of another, and in several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dramatiq import Broker, Worker
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO

from dramatiq_baton import Workflow, current_step
from dramatiq_baton.testing import FinishedWorkflow

from .shop import Shop

Run = Callable[..., FinishedWorkflow]


def test_an_actor_can_run_a_workflow_in_between(shop: Shop, run: Run, broker: Broker) -> None:
    broker.add_middleware(AsyncIO())

    @shop.actor
    async def tell() -> str:
        return "from within"

    @shop.actor
    def ask(previous: str) -> str:
        inner = Workflow("inner")
        inner.add("tell", tell.message())
        found = run(inner).result("tell")
        if current_step().attempt == 1:  # type: ignore[union-attr]
            raise ValueError("once more")
        plain.send()
        return f"{previous}, {found}, {current_step().name}"  # type: ignore[union-attr]

    plain = shop.plain_actor(lambda: shop.notes.append("plain"), actor_name="plain")
    flow = shop.flow()
    flow.add("ask", ask.message(flow.add("b", shop.work.message("b"), deps="a")))
    flow.add("tell", tell.message(), deps="ask")  # the event loop is still there
    assert run(flow).results == {
        "a": "a 1",
        "b": "b 1",
        "ask": "b 1, from within, ask",
        "tell": "from within",
    }
    assert shop.notes == ["a", "b", "plain"]


def test_threads_can_run_workflows_of_one_broker_at_the_same_time(
    shop: Shop, run: Run, broker: Broker
) -> None:
    threads = 4
    together = threading.Barrier(threads, timeout=30)

    @shop.actor
    async def number(value: int) -> int:
        return value

    @shop.actor
    def add(one: int, two: int) -> tuple[int, int]:
        together.wait()
        return one + two, threading.get_ident()

    def work(value: int) -> tuple[int, int]:
        flow = Workflow("flow", id="the same")
        one = flow.add("one", number.message(value), delay=1000)
        flow.add("add", add.message(one, flow.add("two", number.message(value))))
        found: tuple[int, int] = run(flow).result("add")
        assert found[1] == threading.get_ident()
        together.wait()
        return found

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(work, range(threads)))
    assert [total for total, _ in found] == [0, 2, 4, 6]
    assert len({thread for _, thread in found}) == threads
    assert "enqueue" not in vars(broker)


def test_the_event_loop_of_a_worker_in_this_process_is_left_alone(shop: Shop, run: Run) -> None:
    worker = Worker(StubBroker([AsyncIO()]), worker_threads=1)
    worker.start()
    loop = get_event_loop_thread()

    @shop.actor
    async def look() -> str:
        return threading.current_thread().name

    flow = Workflow("flow")
    flow.add("a", look.message())
    try:
        assert loop is not None
        assert run(flow).result("a") == loop.name
        assert get_event_loop_thread() is loop
    finally:
        worker.stop()
    assert run(flow).result("a") != loop.name
