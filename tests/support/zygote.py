"""Forks processes that have everything imported already: a worker is there in a fraction of a second.

The processes are real ones, with a broker, threads and connections of their own. Run as a program; reads one
order a line and answers with the process id. See :mod:`tests.support.forks` for the other side.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
import traceback
from typing import Any

# Imported here so that no fork has to.
import dramatiq
import dramatiq.brokers.redis
import dramatiq.worker
import redis  # noqa: F401

import dramatiq_baton  # noqa: F401


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


def submit(builder: str, *args: str) -> None:
    """Submit the workflow that a function builds, named as ``module:function``."""
    actors = _actors()
    module, _, function = builder.partition(":")
    getattr(importlib.import_module(module), function)(actors, *args)


def _actors() -> Any:
    from tests.support import actors

    return actors


def _become(order: dict[str, Any]) -> None:
    """Be the process that was asked for; never returns."""
    code = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(order["env"])
        logging.basicConfig(
            level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(name)s %(message)s"
        )
        globals()[order["role"]](*order["args"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
