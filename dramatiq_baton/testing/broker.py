"""Brokers for tests: one for a run, with the user's actors and middleware, and one without either."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from dramatiq import Broker, Message, Middleware, Worker
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name
from dramatiq.errors import QueueNotFound
from dramatiq.middleware import AsyncIO

from .. import quiet
from ..middleware import BatonMiddleware
from ..run import middleware_of
from ..store import sandbox
from ..store.sandbox import FOR_EVER
from .clock import Clock
from .event_loop import SharedAsyncIO


class ThreadlessBaton(BatonMiddleware):
    """Baton for a worker that nobody has to rescue, and whose leases don't run out."""

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        quiet.install()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """There are no threads to start."""

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """There is nothing to hand back: what is left is deleted."""


class PrivateBroker(StubBroker):
    """A ``StubBroker`` with the actors and the middleware of another broker.

    Neither the actors nor the middleware are told of it: the actors are declared already.

    Parameters:
      broker: The other broker.
      url: Where workflows are kept.
      clock: By which messages are delayed.

    Attributes:
      sent_to: The queue of each message that was not fetched yet, in the order in which they were sent.

    Raises:
      ConfigurationError: If the other broker has no ``BatonMiddleware``.
    """

    def __init__(self, broker: Broker, *, url: str, clock: Clock) -> None:
        super().__init__(middleware=[])
        self.sent_to: deque[str] = deque()
        self._clock = clock
        self.actors = broker.actors
        for queue in broker.get_declared_queues() | {actor.queue_name for actor in broker.actors.values()}:
            self.declare_queue(queue)
        baton = _copy(middleware_of(broker), url)
        self.middleware = list(_replaced(broker.middleware, baton))
        self.actor_options = broker.actor_options

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        queue = message.queue_name
        if delay is not None:
            queue = dq_name(queue)
            message = message.copy(queue_name=queue, options={"eta": self._clock.now() + delay})
        if queue not in self.queues:
            raise QueueNotFound(queue)
        self.emit_before("enqueue", message, delay)
        self.queues[queue].put(message.encode())
        self.sent_to.append(queue)
        self.emit_after("enqueue", message, delay)
        return message


def _copy(baton: BatonMiddleware, url: str) -> ThreadlessBaton:
    options = replace(baton._options, namespace=_new_namespace(), lease_ttl=FOR_EVER)
    return ThreadlessBaton(url=url, pricing=baton._pricing, observers=baton._observers.all, **asdict(options))


def _replaced(middleware: Sequence[Middleware], baton: BatonMiddleware) -> Iterator[Middleware]:
    has_loop = False
    for each in middleware:
        if isinstance(each, BatonMiddleware):
            yield baton
        elif isinstance(each, AsyncIO):
            has_loop = True
            yield SharedAsyncIO()
        else:
            yield each
    if not has_loop:
        yield SharedAsyncIO()


@contextmanager
def scratch_broker(url: str) -> Iterator[StubBroker]:
    """A ``StubBroker`` with Dramatiq's default middleware and Baton, in a namespace that is deleted in the end."""
    broker = StubBroker()
    baton = BatonMiddleware(url=url, namespace=_new_namespace())
    broker.add_middleware(baton)
    try:
        yield broker
    finally:
        broker.close()
        store = baton.runtime(broker).store
        sandbox.erase(store)
        store.connections.close()


def _new_namespace() -> str:
    return f"test-{os.urandom(8).hex()}"
