"""Dramatiq's ``AsyncIO``, for several workers of one process that come and go."""

from __future__ import annotations

import threading

from dramatiq import Broker, Worker
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread, set_event_loop_thread
from dramatiq.middleware import AsyncIO


class SharedAsyncIO(AsyncIO):
    """Runs async actors on one event loop, as long as there is a worker that needs it.

    Dramatiq has one loop a process, which the last worker to start would begin and the first to stop would end.
    """

    _lock = threading.Lock()
    _workers = 0
    _own: EventLoopThread | None = None

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        shared = SharedAsyncIO
        with shared._lock:
            shared._workers += 1
            if get_event_loop_thread() is None:
                shared._own = EventLoopThread(self.logger)
                shared._own.start(timeout=10.0)
                set_event_loop_thread(shared._own)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        shared = SharedAsyncIO
        with shared._lock:
            shared._workers -= 1
            if shared._workers or shared._own is None:
                return
            if get_event_loop_thread() is shared._own:
                set_event_loop_thread(None)
            shared._own.stop()
            shared._own = None
