"""The rescue: finds what a crash left behind and sets it going again.

Every worker process has one; in each round one of them does the work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dramatiq import Broker

from .errors import BatonError, StoreUnavailable
from .logs import get_logger
from .release import release
from .store import catalogue, upkeep
from .store.replies import Spread
from .store.store import Store
from .store.upkeep import Due, Lease

#: Milliseconds between two looks at the least, if one is due before the interval is over.
SHORTEST_PAUSE = 10
#: Entries of each kind that one look takes; while there are more, it looks again at once.
PORTION = 100
#: Seconds between two looks at some of the running workflows, whether they do run; and how many those are.
TIDYING_PAUSE = 60.0
TIDIED = 100

log = get_logger()


class Rescue:
    """Looks every ``interval`` ms.

    Parameters:
      store: Where it looks.
      broker: Where it sends steps.
      who: This process.
      interval: Milliseconds between two rounds.
      max_rescues: After how many deaths of its workers a step is discarded.
    """

    def __init__(self, store: Store, broker: Broker, *, who: str, interval: int, max_rescues: int) -> None:
        self._store = store
        self._broker = broker
        self._who = who
        self._interval = interval
        self._max_rescues = max_rescues
        self._tidied_at = time.monotonic()
        self._foreign: set[str] = set()  #: entries of indexes that were told of
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that looks."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="baton-rescue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> float:
        """Do one round, unless another process does it.

        Returns:
          Seconds until the next one: the interval, or less if something is known to be due before.

        Raises:
          StoreUnavailable: If Redis doesn't answer.
        """
        # A little less than the interval, so that the next round isn't missed by a hair. Whoever
        # dies in a round holds nobody up: the right to it expires by itself.
        alone_for = self._interval * 9 // 10
        before = None
        while not self._stop.is_set():
            due = upkeep.sweep(self._store, who=self._who, alone_for=alone_for, most=PORTION)
            if due is None or due == before:  # what can't be mended stays where it is
                break
            self._mend(due)
            before = due
            if max(len(due.leases), len(due.overdue), len(due.spreading)) < PORTION:
                if due.next is None:
                    break
                return max(SHORTEST_PAUSE, min(self._interval, due.next)) / 1000
        return self._interval / 1000

    def _run(self) -> None:
        looking, pause = True, self._interval / 1000
        while not self._stop.wait(pause):
            pause = self._interval / 1000
            try:
                pause = self.look()
                if time.monotonic() - self._tidied_at > TIDYING_PAUSE:
                    self._tidied_at = time.monotonic()
                    catalogue.tidy(self._store, most=TIDIED)
            except BatonError as error:
                if looking:  # once is enough, however long Redis is away
                    log.warning("the rescue could not look; it keeps trying", error=str(error))
                looking = False
            else:
                if not looking:
                    log.info("the rescue looks again")
                looking = True

    def _mend(self, due: Due) -> None:
        for member in due.foreign:
            if member not in self._foreign:  # once is enough
                self._foreign.add(member)
                log.error(
                    "an index holds what Baton didn't write; if another program uses the namespace, choose another one",
                    index=self._store.keys.index,
                    entry=member,
                )
        for lease in due.leases:
            self._carefully(lease.address.workflow_id, lambda: self._expire(lease))  # noqa: B023
        for overdue in due.overdue:
            self._carefully(overdue.address.workflow_id, lambda: upkeep.resend(self._store, overdue))  # noqa: B023
        for workflow_id in due.spreading:
            self._carefully(workflow_id, lambda: self._store.spread(workflow_id))  # noqa: B023

    def _expire(self, lease: Lease) -> Spread:
        spread = upkeep.expire(self._store, lease, max_rescues=self._max_rescues)
        if spread.word in ("queued", "discarded"):
            log.warning(
                "the worker of a step died or lost touch",
                workflow=lease.address.workflow_id,
                step=lease.address.step,
                now=spread.word,
            )
        return spread

    def _carefully(self, workflow_id: str, mend: Callable[[], Spread]) -> None:
        """Mend one thing, so that damage in one workflow doesn't keep others from being rescued."""
        try:
            spread = mend()
            if spread.word == "unknown":
                catalogue.forget(self._store, workflow_id)
            release(self._store, self._broker, workflow_id, spread)
        except StoreUnavailable:
            raise
        except BatonError as error:
            log.error("a workflow can't be rescued", workflow=workflow_id, error=str(error))
