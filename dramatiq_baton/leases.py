"""Leases: which steps this process executes, and the thread that renews its right to do so.

The idea is Chubby's and every lock service's since: a lock that must be renewed frees itself when its
holder dies, and a token that grows with each holder tells the living from those who only look dead.
"""

from __future__ import annotations

import threading

from .errors import BatonError
from .logs import get_logger
from .store import upkeep
from .store.store import Address, Store
from .store.upkeep import Lease

log = get_logger()


class Leases:
    """The leases that this process holds.

    Parameters:
      store: Where they are renewed, all in one command, three times within ``lease_ttl``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[Lease, None] = {}
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
            with self._lock:
                still_held = self._held.pop(lease, lease) is None
            if still_held:  # else it was given back while we asked
                log.warning(
                    "lost the lease of a step; only a first result of it counts",
                    workflow=lease.address.workflow_id,
                    step=lease.address.step,
                )

    def _run(self) -> None:
        while not self._stop.wait(self._store.lease_ttl / 3000):
            try:
                self.renew()
            except BatonError as error:
                log.warning("leases were not renewed", error=str(error))
