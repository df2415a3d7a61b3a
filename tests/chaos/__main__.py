"""``python -m tests.chaos``: a round of random workflows and random faults, and a table of what came of it.

Three workers, each behind a proxy, and one Valkey server with ``appendfsync always``. Workers are killed, shut
down, paused for longer than a lease, cut off and slowed down; the server is killed and restarted. The exit code is 1
if a workflow is lost, has a wrong result, or has finished twice. Graphs and faults depend on the seed; the
moments at which the faults strike don't quite, as processes take the time that they take.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import itertools
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .cluster import Cluster, Stopwatch, environment
from .faults import Faults
from .graphs import Graph
from .report import Report
from .watch import Watch

#: Seconds in which everything must have finished once the faults are over.
PATIENCE = 120


def main() -> int:
    options = _options()
    faulthandler.register(signal.SIGUSR1)
    logging.getLogger("dramatiq_baton").setLevel(logging.CRITICAL)
    cluster = Cluster()
    good = False
    try:
        os.environ.update(environment(cluster.server.url), CHAOS_BROKER=options.broker)
        actors = importlib.import_module("tests.chaos.actors")
        good = play(cluster, actors, options)
    finally:
        logs = cluster.close()
        if not good:
            print(f"the workers' logs are in {_keep(logs)}")
    return 0 if good else 1


def play(cluster: Cluster, actors: Any, options: argparse.Namespace) -> bool:
    """Play one round, and print what came of it."""
    time_left = Stopwatch(options.seconds)
    watches: list[Watch] = []
    submitters = Submitters(options.seed, actors, time_left, watches.append, options.workflows_at_once)
    faults = Faults(cluster, seed=options.seed, time=time_left)
    submitters.start()
    faults.start()
    try:
        faults.wait()
    finally:
        time_left.stop()
    submitters.wait(PATIENCE)
    for watch in watches:
        watch.check()
    report = Report(watches, faults.done)
    print(report.table())
    for complaint in (*report.complaints(), *faults.broken):
        print(complaint)
    return report.good and not faults.broken


class Submitters:
    """Threads that each submit a workflow, follow it to its end, and take the next one."""

    def __init__(
        self, seed: int, actors: Any, time: Stopwatch, add: Callable[[Watch], None], threads: int
    ) -> None:
        self._numbers: Iterator[int] = itertools.count(1)
        self._seed = seed
        self._actors = actors
        self._time = time
        self._add = add
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until all have seen their last workflow's end, but no longer than so many seconds."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._time.over:
            watch = Watch(Graph.random(self._seed, next(self._numbers)))
            self._add(watch)
            try:
                watch.run(self._actors)
            except Exception:
                watch.error = traceback.format_exc()


def _keep(logs: list[str]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="baton-chaos-logs-"))
    for number, log in enumerate(logs):
        (folder / f"worker-{number}.log").write_text(log)
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="A round of chaos.")
    parser.add_argument("--seconds", type=float, default=600, help="how long faults happen (600)")
    parser.add_argument("--seed", type=int, default=1, help="what graphs and faults are made from (1)")
    parser.add_argument("--workflows-at-once", type=int, default=20, help="how many run at a time (20)")
    parser.add_argument(
        "--broker", choices=["ours", "dramatiq"], default="ours", help="whose RedisBroker (ours)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
