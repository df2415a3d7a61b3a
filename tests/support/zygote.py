"""Forks processes that have everything imported already: a worker or a command is there in a fraction of a second.

The processes are real ones, with a broker, threads and connections of their own. Run as a program; takes orders from
a socket and answers with the process id. See :mod:`tests.support.forks` for the other side.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

# Imported here so that no fork has to.
import dramatiq
import dramatiq.__main__
import dramatiq.brokers.redis
import dramatiq.brokers.stub
import dramatiq.middleware.asyncio
import dramatiq.worker

import dramatiq_baton
import dramatiq_baton.brokers
import dramatiq_baton.cli

#: What comes with an order: standard input, output and errors, and where to write how the process ended.
HANDLES = 4
LONGEST_ORDER = 1 << 20


# What a process may be -------------------------------------------------------------------------


def work(threads: str = "2") -> None:
    """A worker for the actors of :mod:`tests.support.actors`, until SIGTERM."""
    actors = _actors()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    worker = dramatiq.Worker(actors.broker, worker_threads=int(threads), worker_timeout=40)
    worker.start()
    actors.probe.rpush(f"{actors.NAMESPACE}:ready:{os.getpid()}", 1)
    stopped.wait()
    worker.stop()
    _leave()


def submit(builder: str, *args: str) -> None:
    """Submit the workflow that a function builds, named as ``module:function``."""
    actors = _actors()
    module, _, function = builder.partition(":")
    getattr(importlib.import_module(module), function)(actors, *args)
    _leave()


def command(*argv: str) -> None:
    """What the executable does whose path, and arguments, these are."""
    sys.argv = list(argv)
    program = os.path.basename(argv[0])
    sys.exit({"dramatiq": dramatiq.__main__, "dramatiq-baton": dramatiq_baton.cli}[program].main())


def prompt() -> None:
    """A Python prompt, see :mod:`tests.support.prompt`."""
    importlib.import_module("tests.support.prompt").main()
    _leave()


def _actors() -> Any:
    from tests.support import actors

    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(name)s %(message)s"
    )
    return actors


def _leave() -> NoReturn:
    """End without the interpreter's tidying up, which takes longer than the whole start."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


# Forking ---------------------------------------------------------------------------------------


def _become(order: dict[str, Any], handles: list[int]) -> Callable[[], None]:
    """Make this process as new; returns what it is to do."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for handle, wanted in zip(handles, (0, 1, 2), strict=False):
        os.dup2(handle, wanted)
    for handle in handles:
        os.close(handle)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    return partial(globals()[order["role"]], *order["args"])


def main(orders: socket.socket) -> Callable[[], None] | None:
    """Fork a process for each order. Returns in that process, with what it is to do.

    Where no more orders come, nobody waits for those that live any more: they are killed, and nothing is returned.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # so that no fork's collections copy what all share
    reports: dict[int, tuple[int, int]] = {}
    with orders, selectors.DefaultSelector() as watched:
        watched.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in watched.select():
                if key.fd in reports:
                    watched.unregister(key.fd)
                    _report(key.fd, *reports.pop(key.fd))
                    continue
                data, handles, *_ = socket.recv_fds(orders, LONGEST_ORDER, HANDLES)
                if not data:
                    for pid, _ in reports.values():
                        with contextlib.suppress(ProcessLookupError):  # it has ended
                            os.killpg(pid, signal.SIGKILL)
                    return None
                pid = os.fork()
                if not pid:
                    for ended, (_, report) in reports.items():
                        os.close(ended)
                        os.close(report)
                    return _become(json.loads(data), handles)
                for handle in handles[:-1]:
                    os.close(handle)
                ended = os.pidfd_open(pid)
                reports[ended] = (pid, handles[-1])
                watched.register(ended, selectors.EVENT_READ)
                orders.send(b"%d" % pid)


def _report(ended: int, pid: int, report: int) -> None:
    """Bury a process, and tell how it ended."""
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody asks any more
        os.write(report, b"%d" % os.waitstatus_to_exitcode(status))
    os.close(report)
    os.close(ended)


if __name__ == "__main__":
    if task := main(socket.socket(fileno=int(sys.argv[1]))):
        task()
