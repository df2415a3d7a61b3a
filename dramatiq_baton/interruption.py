"""Interrupting an actor whose step was cancelled, as Dramatiq's own time limit interrupts one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dramatiq.middleware import Interrupt
from dramatiq.threading import is_gevent_active, raise_thread_exception


class StepCancelled(Interrupt):
    """Raised in the thread of an actor whose workflow is cancelled with ``interrupt=True``.

    Like Dramatiq's other interrupts it is no ``Exception``, and a system call isn't broken off by it.
    """


# Greenlets take the place of threads from the start of a process or not at all: it need not be asked for every step.
_ON_GREENLETS: bool = is_gevent_active()  # type: ignore[no-untyped-call]


def interrupter() -> Callable[[], None]:
    """What raises :class:`StepCancelled` in the calling thread when another one calls it."""
    if _ON_GREENLETS:
        import gevent

        greenlet = gevent.getcurrent()
        return lambda: greenlet.kill(StepCancelled, block=False)
    thread = threading.get_ident()
    return lambda: raise_thread_exception(thread, StepCancelled)  # type: ignore[no-untyped-call]
