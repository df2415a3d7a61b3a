"""Leases: which steps this process executes, and the thread that renews its right to do so.

The idea is Chubby's and every lock service's since: a lock that must be renewed frees itself when its
holder dies, and a token that grows with each holder tells the living from those who only look dead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import BatonError
from .interruption import StepCancelled, interrupter
from .logs import get_logger
from .store import upkeep
from .store.store import Address, Store
from .store.upkeep import Fate, Lease

if TYPE_CHECKING:
    from .step import Step

#: How long it takes at the most until an execution learns that it was cancelled, in seconds.
LONGEST_PAUSE = 5.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class Execution:
    """An actor that runs in this process.

    Attributes:
      step: What it can know of its step.
      interrupt: Raises ``StepCancelled`` in its thread.
    """

    step: Step
    interrupt: Callable[[], None]


class Leases:
    """The leases that this process holds.

    Parameters:
      store: Where they are renewed, all in one command, three times within ``lease_ttl``, every 5 seconds at least.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[Lease, Execution | None] = {}
        self._called_off: dict[Lease, Fate] = {}  #: what is held no more because its step was cancelled
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, address: Address, token: int) -> None:
        """Renew a lease from now on."""
        with self._lock:
            self._held[Lease(address, token)] = None

    def drop(self, address: Address, token: int) -> None:
        """Don't renew a lease any more."""
        with self._lock:
            self._held.pop(Lease(address, token), None)
            self._called_off.pop(Lease(address, token), None)

    @contextmanager
    def executing(self, address: Address, token: int, step: Step) -> Iterator[None]:
        """While this lasts, the calling thread learns of it if the step is cancelled.

        Raises:
          StepCancelled: If it has been already, and is to be interrupted.
        """
        lease = Lease(address, token)
        with self._lock:
            fate = self._called_off.get(lease)
            step.cancelled = fate is not None
            if lease in self._held:
                self._held[lease] = Execution(step, interrupter())
        if fate is not None and fate.interrupt:
            raise StepCancelled
        try:
            yield
        finally:
            with self._lock:
                if lease in self._held:
                    self._held[lease] = None

    def start(self) -> None:
        """Start the thread that renews."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="baton-leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def renew(self) -> None:
        """Renew all leases once. Lost ones are not renewed again.

        Raises:
          StoreUnavailable: If Redis doesn't answer.
        """
        with self._lock:
            held = list(self._held)
        for lease in upkeep.renew(self._store, held) if held else ():
            self._lose(lease, upkeep.fate_of(self._store, lease))

    def _lose(self, lease: Lease, fate: Fate) -> None:
        with self._lock:
            if lease not in self._held:  # it was given back while we asked
                return
            execution = self._held.pop(lease)
            if fate.called_off:
                self._called_off[lease] = fate
                if execution is not None:
                    execution.step.cancelled = True
                    if fate.interrupt:
                        execution.interrupt()  # with the lock, so that none comes when the actor has returned
        place = {"workflow": lease.address.workflow_id, "step": lease.address.step}
        if fate.called_off:
            log.info("a step was cancelled while it ran", **place, interrupted=fate.interrupt)
        else:
            log.warning("lost the lease of a step; only a first result of it counts", **place)

    def _run(self) -> None:
        while not self._stop.wait(min(LONGEST_PAUSE, self._store.lease_ttl / 3000)):
            try:
                self.renew()
            except BatonError as error:
                log.warning("leases were not renewed", error=str(error))
