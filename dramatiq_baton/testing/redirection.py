"""What actors send while they are tested doesn't go where it goes in production."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from dramatiq import Broker, Message

from ..stand_in import in_place_of, standing_in

_lock = Lock()
_redirected: dict[Broker, int] = {}  #: how many ask for it


@contextmanager
def redirecting(broker: Broker, other: Broker) -> Iterator[None]:
    """What is sent through ``broker`` in the present context goes to ``other``, and so do workflows that are run there.

    The actors keep their broker, and other threads go on sending through it.
    """
    with _lock:
        _redirected[broker] = _redirected.get(broker, 0) + 1
        if _redirected[broker] == 1:
            _redirect(broker)
    try:
        with standing_in(broker, other):
            yield
    finally:
        with _lock:
            _redirected[broker] -= 1
            if not _redirected[broker]:
                del _redirected[broker], vars(broker)["enqueue"]


def _redirect(broker: Broker) -> None:
    through_class = broker.enqueue

    def enqueue(message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        other = in_place_of(broker)
        return through_class(message, delay=delay) if other is broker else other.enqueue(message, delay=delay)

    vars(broker)["enqueue"] = enqueue
