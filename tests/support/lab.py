"""A laboratory: a broker with middleware and actors as one test wants them, and a worker in this process.

Where a test needs a special list of middleware, the log of a worker, or an actor that meets it in the middle
of its work, worker processes are too far away. Broker, server, worker threads and Redis are the real ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq import Message, Middleware, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import TimeLimit, default_middleware

from dramatiq_baton import BatonMiddleware, Event, Workflow, WorkflowRun, workflow_actor
from dramatiq_baton.brokers import RedisBroker as FastRedisBroker
from dramatiq_baton.store.streams import EventReader

from .brokers import hang_up
from .world import World

Arrangement = Callable[[BatonMiddleware], Sequence[Middleware]]


def stock() -> list[Middleware]:
    """Dramatiq's default middleware, with a time limit that looks more often."""
    return [TimeLimit(interval=20) if kind is TimeLimit else kind() for kind in default_middleware]


def baton_last(baton: BatonMiddleware) -> Sequence[Middleware]:
    """The arrangement that ``broker.add_middleware(BatonMiddleware())`` makes."""
    return [*stock(), baton]


class Sent(Middleware):
    """Keeps a copy of each step's message that a broker sends."""

    def __init__(self) -> None:
        self.messages: list[Message[Any]] = []

    def before_enqueue(self, broker: dramatiq.Broker, message: Message[Any], delay: int | None) -> None:
        if "baton" in message.options:
            self.messages.append(message.copy())

    def of(self, step: str) -> Message[Any]:
        """The first message that was sent for a step."""
        return next(message for message in self.messages if message.options["baton"]["step"] == step)


class Received(Middleware):
    """Tells when a worker begins to work on a step's message."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        if "baton" in message.options:
            self.event.set()


class Lab:
    """A broker of a test's own, in the namespace of a world.

    Parameters:
      world: Says where Redis is, and checks that nothing is left behind there.
      arrange: Puts the middleware in order.
      kind: ``"redis"`` or ``"stub"``.
      broker_url: Where the ``RedisBroker`` works; where the world does if not given.
      options: Options of ``BatonMiddleware``.
    """

    def __init__(
        self,
        world: World,
        arrange: Arrangement = baton_last,
        *,
        kind: str = "redis",
        broker_url: str | None = None,
        **options: Any,
    ) -> None:
        self.world = world
        self.baton = BatonMiddleware(
            **{
                "url": world.url,
                "namespace": world.namespace,
                "snooze_delay": 50,
                "lease_ttl": 3000,
                "rescue_interval": 200,
                **options,
            }
        )
        self._received = Received()
        middleware = [self._received, *arrange(self.baton)]
        if kind == "stub":
            self.broker: dramatiq.Broker = StubBroker(middleware=middleware)
        else:
            fast = world.env["BATON_TEST_BROKER"] == "fast"
            self.broker = (FastRedisBroker if fast else RedisBroker)(
                url=broker_url or world.url, namespace=f"{world.namespace}:lab", middleware=middleware
            )
        self.sent = Sent()
        self.broker.add_middleware(self.sent)
        self._notes: list[str] = []
        self._noted = threading.Condition()
        self._booted = False

    # Actors -------------------------------------------------------------------------------------

    def actor(self, fn: Callable[..., Any] | None = None, **options: Any) -> Any:
        """``@workflow_actor`` on this broker, with retries that come soon."""
        options = {"broker": self.broker, "max_retries": 2, "min_backoff": 10, "max_backoff": 30, **options}
        return workflow_actor(**options) if fn is None else workflow_actor(**options)(fn)

    def plain_actor(self, fn: Callable[..., Any] | None = None, **options: Any) -> Any:
        """``@dramatiq.actor`` on this broker."""
        options = {"broker": self.broker, "max_retries": 0, **options}
        return dramatiq.actor(**options) if fn is None else dramatiq.actor(**options)(fn)

    def note(self, what: str) -> int:
        """Note that something happened; returns how often it has by now."""
        with self._noted:
            self._notes.append(what)
            self._noted.notify_all()
            return self._notes.count(what)

    @property
    def notes(self) -> list[str]:
        """What was noted, in order."""
        with self._noted:
            return list(self._notes)

    def wait_note(self, what: str, times: int = 1, timeout: float = 30) -> None:
        """Wait until something was noted so many times."""
        with self._noted:
            arrived = self._noted.wait_for(lambda: self._notes.count(what) >= times, timeout)
        assert arrived, f"{what!r} wasn't noted {times} times, only {self.notes}"

    # Working ------------------------------------------------------------------------------------

    @contextmanager
    def working(self, *, threads: int = 4, queues: set[str] | None = None) -> Iterator[Worker]:
        """A worker for as long as the block lasts."""
        if not self._booted:  # once a process, as the dramatiq command does
            self._booted = True
            self.broker.emit_after("process_boot")
        worker = Worker(self.broker, queues=queues, worker_timeout=20, worker_threads=threads)
        worker.start()
        try:
            yield worker
        finally:
            worker.stop(timeout=20_000)

    def run(self, flow: Workflow, **options: Any) -> WorkflowRun:
        return flow.run(broker=self.broker, **options)

    def finish(self, flow: Workflow, **options: Any) -> WorkflowRun:
        """Run a workflow on a worker and wait until it has finished."""
        with self.working():
            run = self.run(flow, **options)
            run.wait(timeout=30_000)
        return run

    def wait_received(self, timeout: float = 30) -> None:
        """Wait until a worker has begun to work on the first message of a step."""
        assert self._received.event.wait(timeout)

    def wait_event(self, run: WorkflowRun, condition: Callable[[Event], bool]) -> Event:
        """Wait for an event, also one of a workflow that has finished already."""
        return next(event for event in EventReader(run._runtime.store, run.id).follow() if condition(event))

    def events_of(self, run: WorkflowRun, step: str) -> list[str]:
        return self.world.events_of(run, step)

    def close(self) -> None:
        """Delete what the broker keeps where the world doesn't look, and close it."""
        if isinstance(self.broker, RedisBroker):
            for key in list(self.broker.client.scan_iter(f"{self.world.namespace}:lab*", count=1000)):
                self.broker.client.delete(key)
        hang_up(self.broker)


class Log(logging.Handler):
    """What Dramatiq and Baton log while the block lasts, from every thread."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.records: list[logging.LogRecord] = []
        self._arrived = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._arrived:
            self.records.append(record)
            self._arrived.notify_all()

    def __enter__(self) -> Log:
        self._levels = {}
        for name in ("dramatiq", "dramatiq_baton"):
            logger = logging.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(logging.INFO)
            logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).removeHandler(self)
            logging.getLogger(name).setLevel(level)

    @property
    def warnings(self) -> list[str]:
        """Everything from a warning upwards."""
        with self._arrived:
            return [record.getMessage() for record in self.records if record.levelno >= logging.WARNING]

    def lines(self, part: str) -> list[str]:
        """The lines that hold some text."""
        with self._arrived:
            return [text for record in self.records if part in (text := record.getMessage())]

    def wait(self, part: str, times: int = 1, timeout: float = 30) -> None:
        """Wait until some text was logged so many times."""
        with self._arrived:
            arrived = self._arrived.wait_for(
                lambda: sum(part in record.getMessage() for record in self.records) >= times, timeout
            )
        assert arrived, f"{part!r} was not logged {times} times; the last lines: {self.lines('')[-20:]}"
