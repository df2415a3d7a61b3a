"""What the parts of one middleware share."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dramatiq import Broker

from .leases import Leases
from .observing import Observers
from .options import Options
from .pricing import Pricing
from .store.store import Address, Store
from .store.talks import Talk

if TYPE_CHECKING:
    from .advancing import Lane


@dataclass(slots=True, eq=False)
class Runtime:
    """The parts of one middleware on one broker.

    Attributes:
      broker: The broker.
      store: Where the workflows live.
      options: How the middleware was set up.
      leases: The leases that this process holds.
      pricing: Knows what calls to providers cost.
      observers: Told of what happens.
      pid: The process that it was made in; a fork makes its own.
      lane: The fast path of this worker process, if there is one.
      witness: Told of each exception by which an execution failed, as the actor raised it; for tests of users.
      worker: Names this process in events: host, process id and a number of its own.
    """

    broker: Broker
    store: Store
    options: Options
    leases: Leases
    pricing: Pricing
    observers: Observers
    pid: int = field(default_factory=os.getpid)
    lane: Lane | None = None
    witness: Callable[[Address, BaseException], None] | None = None
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}")
    _checked: threading.Event = field(default_factory=threading.Event)
    _deliveries: itertools.count[int] = field(default_factory=itertools.count)

    def checking_server_once(self) -> Talk[None]:
        """Make sure that the server will do, the first time that this is called.

        Raises:
          StoreUnavailable: If it doesn't answer.
          ConfigurationError: If it won't do.
        """
        if not self._checked.is_set():
            yield from self.store.checking_server()
            self._checked.set()

    def next_holder(self) -> str:
        """A name for one more delivery, used by no other."""
        return f"{self.worker}/{next(self._deliveries)}"
