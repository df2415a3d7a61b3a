"""Dramatiq's worker without its threads: whoever calls it does the work.

What happens to a message is Dramatiq's own code, so hooks are called in the order in which workers call them.
"""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass, field
from queue import Empty

from dramatiq import Worker
from dramatiq.broker import MessageProxy
from dramatiq.common import iter_queue, q_name
from dramatiq.worker import ConsumerThread, WorkerThread

from .broker import PrivateBroker

#: More than a test has messages.
PREFETCH = 1_000_000


@dataclass(order=True, slots=True)
class Delayed:
    """A message that is to be processed at a time.

    Attributes:
      eta: When, in milliseconds since 1970.
      number: Of several for one time, the first one is the first.
      message: The message.
      consumer: Whoever fetched it.
    """

    eta: int
    number: int
    message: MessageProxy = field(compare=False)
    consumer: ConsumerThread = field(compare=False)


class ThreadlessWorker(Worker):
    """A worker with one thread that is never started.

    Parameters:
      broker: The broker of the run.
    """

    def __init__(self, broker: PrivateBroker) -> None:
        super().__init__(broker, worker_timeout=0, worker_threads=1)
        self._sent_to = broker.sent_to
        self._numbers = itertools.count()

    def _add_consumer(self, queue_name: str, *, delay: bool = False) -> None:
        consumer = self.consumers[queue_name] = ConsumerThread(
            broker=self.broker,
            queue_name=queue_name,
            prefetch=PREFETCH,
            work_queue=self.work_queue,
            worker_timeout=self.worker_timeout,
        )
        consumer.consumer = self.broker.consume(queue_name, PREFETCH, self.worker_timeout)
        self.broker.emit_after("consumer_thread_boot", consumer)

    def _add_worker(self) -> None:
        thread = WorkerThread(
            broker=self.broker,
            consumers=self.consumers,
            work_queue=self.work_queue,
            worker_timeout=self.worker_timeout,
        )
        self.workers.append(thread)
        self.broker.emit_after("worker_thread_boot", thread)

    def stop(self, timeout: int = 0) -> None:
        """End the worker. What it holds is not put back."""
        self.broker.emit_before("worker_shutdown", self)
        for thread in self.workers:
            self.broker.emit_before("worker_thread_shutdown", thread)
        for consumer in self.consumers.values():
            self.broker.emit_before("consumer_thread_shutdown", consumer)
        self.broker.emit_after("worker_shutdown", self)

    def fetch(self) -> list[Delayed]:
        """Fetch all that was sent, in that order. What is delayed is handed over; the rest waits to be processed."""
        delayed = []
        while self._sent_to:
            consumer = self.consumers[self._sent_to.popleft()]
            assert consumer.consumer is not None
            message = next(consumer.consumer)
            assert message is not None
            consumer.handle_message(message)
            for item in iter_queue(consumer.delay_queue):
                delayed.append(Delayed(int(item.priority), next(self._numbers), item.message, consumer))
        return delayed

    def process_next(self) -> MessageProxy | None:
        """Process the next message, and return it; ``None`` if there is none."""
        try:
            message = self.work_queue.get_nowait().message
        except Empty:
            return None
        self.workers[0].process_message(message)
        return message

    def promote(self, delayed: Delayed) -> None:
        """Send a message whose time has come, as ``ConsumerThread.handle_delayed_messages`` does."""
        message = delayed.message.copy(queue_name=q_name(delayed.message.queue_name))
        del message.options["eta"]
        self.broker.enqueue(message)
        delayed.consumer.post_process_message(delayed.message)


class DelayedMessages:
    """Messages in the order of their times."""

    def __init__(self) -> None:
        self._messages: list[Delayed] = []

    def put(self, delayed: Delayed) -> None:
        bisect.insort(self._messages, delayed)

    @property
    def times(self) -> list[int]:
        """When they are due, in milliseconds since 1970."""
        return [delayed.eta for delayed in self._messages]

    def take(self, now: int) -> list[Delayed]:
        """Take out those that are due."""
        number = bisect.bisect_right(self._messages, now, key=lambda delayed: delayed.eta)
        due, self._messages = self._messages[:number], self._messages[number:]
        return due
