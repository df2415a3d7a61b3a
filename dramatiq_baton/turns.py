"""The queue from which a worker's threads take messages, with a place for what one thread is to run next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, PriorityQueue
from typing import TypeVar

from dramatiq.broker import MessageProxy
from dramatiq.worker import _WorkQueueItem

T = TypeVar("T")


class TurnQueue(PriorityQueue[_WorkQueueItem]):
    """Dramatiq's queue of fetched messages, plus one place for each thread.

    A thread that finishes a step learns in the same round trip that it may start another one. It puts that into
    its own place and takes it from there next, as from the queue.
    """

    def __init__(self) -> None:
        super().__init__()
        self._own = threading.local()
        self._closed = False

    def get(self, block: bool = True, timeout: float | None = None) -> _WorkQueueItem:
        """What the calling thread is to run next."""
        return self.take_own() or super().get(block, timeout)

    def take_first(self, look: Callable[[MessageProxy], T | None]) -> tuple[_WorkQueueItem, T] | None:
        """Take the message that is next in turn, if ``look`` sees something in it."""
        if self._closed:
            return None
        try:
            item = super().get(block=False)
        except Empty:
            return None
        seen = look(item.message)
        if seen is not None:
            return item, seen
        self.put(item)
        super().task_done()
        return None

    def keep(self, item: _WorkQueueItem) -> None:
        """Have the calling thread run a message next that it took from here."""
        self._own.item = item

    def add(self, priority: int, message: MessageProxy) -> None:
        """Have the calling thread run a message next that was never here, in place of the one that it ends now."""
        self._own.replaced = True
        self.keep(_WorkQueueItem(priority, message))

    def task_done(self) -> None:
        """Tell that the calling thread has ended a message; one that was replaced counts on as the other."""
        if not self._own.__dict__.pop("replaced", False):
            super().task_done()

    def take_own(self) -> _WorkQueueItem | None:
        """Take what lies in the calling thread's own place."""
        item: _WorkQueueItem | None = self._own.__dict__.pop("item", None)
        return item

    def close(self) -> None:
        """Put nothing more into any thread's place: the worker stops."""
        self._closed = True

    @property
    def closed(self) -> bool:
        """Whether the worker stops."""
        return self._closed
