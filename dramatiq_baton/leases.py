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
from .interruption import interrupter
from .logs import get_logger
from .store import upkeep
from .store.store import Address, Store
from .store.upkeep import Lease

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
      store: Where they are renewed, all in one command, three times within ``lease_ttl``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[Lease, Execution | None] = {}
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

    @contextmanager
    def executing(self, address: Address, token: int, step: Step) -> Iterator[None]:
        """While this lasts, the calling thread learns of it if the step is cancelled."""
        lease = Lease(address, token)
        with self._lock:
            if lease in self._held:
                self._held[lease] = Execution(step, interrupter())
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
            fate = upkeep.fate_of(self._store, lease)
            if fate.called_off:
                self._tell(lease, interrupt=fate.interrupt)
            with self._lock:
                still_held = lease in self._held  # else it was given back while we asked
                self._held.pop(lease, None)
            if still_held and not fate.called_off:
                log.warning(
                    "lost the lease of a step; only a first result of it counts",
                    workflow=lease.address.workflow_id,
                    step=lease.address.step,
                )

    def _tell(self, lease: Lease, *, interrupt: bool) -> None:
        # With the lock, so that no interrupt comes when the actor has returned.
        with self._lock:
            execution = self._held.get(lease)
            if execution is None:
                return
            execution.step.cancelled = True
            if interrupt:
                execution.interrupt()
        log.info(
            "a step was cancelled while it ran",
            workflow=lease.address.workflow_id,
            step=lease.address.step,
            interrupted=interrupt,
        )

    def _run(self) -> None:
        while not self._stop.wait(min(LONGEST_PAUSE, self._store.lease_ttl / 3000)):
            try:
                self.renew()
            except BatonError as error:
                log.warning("leases were not renewed", error=str(error))
