"""Faults at random moments. Which ones, and how long they last, depends on nothing but the seed."""

from __future__ import annotations

import random
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .cluster import LEASE_TTL, Cluster, Place, Stopwatch

KINDS = ("kill", "stop", "pause", "cut", "slow", "restart")
SHARES = (30, 10, 20, 15, 10, 15)

#: Seconds between two faults, on average.
GAP = 0.8


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
      gap: Seconds since the one before.
      kind: One of :data:`KINDS`; ``restart`` is the server's.
      place: The number of the worker's place.
      seconds: How long it lasts.
      delay: Seconds that a ``slow`` line holds each command up.
    """

    gap: float
    kind: str
    place: int
    seconds: float
    delay: float

    @classmethod
    def random(cls, rng: random.Random, places: int) -> Fault:
        kind = rng.choices(KINDS, SHARES)[0]
        lease = LEASE_TTL / 1000
        lasting = {"pause": (1.2 * lease, 4 * lease), "restart": (0.0, 1.0)}.get(kind, (0.1, 3 * lease))
        return cls(
            gap=rng.uniform(0, 2 * GAP),
            kind=kind,
            place=rng.randrange(places),
            seconds=rng.uniform(*lasting),
            delay=rng.choice((0.01, 0.05, 0.3)),
        )


class Faults:
    """Does one fault after the other to a cluster, in a thread of its own.

    Several may last at once, but only one on each worker; what falls on a worker that has one is left out.

    Attributes:
      done: How often each kind was done.
      broken: What went wrong in doing them; that is the program's fault, not Baton's.
    """

    def __init__(self, cluster: Cluster, *, seed: int, time: Stopwatch) -> None:
        self.done: Counter[str] = Counter()
        self.broken: list[str] = []
        self._cluster = cluster
        self._random = random.Random(f"faults {seed}")
        self._time = time
        self._hands = ThreadPoolExecutor(len(cluster.places) + 1, thread_name_prefix="fault")
        self._busy: dict[int, Future[None]] = {}
        self._thread = threading.Thread(target=self._run, name="faults")

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Wait until the last fault is over; then everything works again."""
        self._thread.join()
        self._hands.shutdown(wait=True)

    def _run(self) -> None:
        server = len(self._cluster.places)
        while True:
            fault = Fault.random(self._random, server)
            self._time.sleep(fault.gap)
            if self._time.over:
                return
            victim = server if fault.kind == "restart" else fault.place
            if victim not in self._busy or self._busy[victim].done():
                self._busy[victim] = self._hands.submit(self._do, fault)

    def _do(self, fault: Fault) -> None:
        try:
            self._deed(fault, self._cluster.places[fault.place])()
        except Exception:
            self.broken.append(f"{fault}:\n{traceback.format_exc()}")
        else:
            self.done[fault.kind] += 1

    def _deed(self, fault: Fault, place: Place) -> Callable[[], None]:
        match fault.kind:
            case "kill":
                return place.kill
            case "stop":
                return place.stop
            case "pause":
                return lambda: place.pause(fault.seconds)
            case "cut":
                return lambda: place.cut(fault.seconds)
            case "slow":
                return lambda: place.slow(fault.seconds, fault.delay)
            case _:
                return lambda: self._restart(fault.seconds)

    def _restart(self, seconds: float) -> None:
        self._cluster.server.kill()
        try:
            threading.Event().wait(seconds)
        finally:
            self._cluster.server.restart()
