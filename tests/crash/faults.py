"""Faults: what happens at a certain command."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from enum import Enum
from urllib.parse import urlsplit

from tests.support.nodes import Node
from tests.support.proxy import Proxy

from .commands import Command


class Moment(Enum):
    """When it happens, seen from the command."""

    BEFORE = "before it is delivered"
    AFTER = "after it was carried out, before the reply"


#: Where a fault strikes: a command's name, and at which occurrence of it. Several threads send commands, so that
#: their order differs from run to run; what each of them does doesn't.
Point = tuple[str, int]


class FaultAt:
    """A watcher that lets one fault happen at one command.

    Parameters:
      url: The server.
      point: At which command; ``None`` for never.
      moment: Before or after.
      broker: The broker's server, if it is another one.
    """

    def __init__(self, url: str, point: Point | None, moment: Moment, broker: str = "") -> None:
        self.moment = moment
        #: All commands up to the fault that one could strike at.
        self.seen: list[Point] = []
        self.struck = False
        #: What happens; set once the process is there.
        self.strike: Callable[[], None] = lambda: None
        #: What happens next, such as telling who waits.
        self.tell: Callable[[], None] = lambda: None
        self._point = point
        self._lock = threading.Lock()
        self._occurrences: Counter[str] = Counter()
        self._due: list[bytes] | None = None
        self.proxy = Proxy(url, self)
        self._broker = Proxy(broker, self) if broker else self.proxy

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process at whose commands the fault may strike."""
        return {"BATON_TEST_STATE_URL": self.proxy.url, "BATON_TEST_BROKER_URL": self._broker.url}

    def before(self, command: list[bytes]) -> None:
        known = Command(command)
        with self._lock:
            if known.counts and self._is_due(known):
                if self.moment is Moment.BEFORE:
                    self._strike()
                else:
                    self._due = command

    def after(self, command: list[bytes], reply: bytes) -> None:
        known = Command(command)
        with self._lock:
            due = self.moment is Moment.AFTER and known.counts_for(reply) and self._is_due(known)
            if due or command is self._due:
                self._strike()

    def close(self) -> None:
        self.proxy.close()
        self._broker.close()

    def _is_due(self, command: Command) -> bool:
        if self.struck:
            return False
        self._occurrences[command.name] += 1
        self.seen.append((command.name, self._occurrences[command.name]))
        return self.seen[-1] == self._point

    def _strike(self) -> None:
        self.struck = True
        self.strike()
        self.proxy.cut()
        self._broker.cut()
        self.tell()


class FaultAtNode(FaultAt):
    """The same for the node of a cluster that has all of a namespace, and for the broker elsewhere."""

    def __init__(self, node: Node, point: Point | None, moment: Moment, broker: str) -> None:
        super().__init__(node.url, point, moment, broker)
        self._node = node

    @property
    def env(self) -> dict[str, str]:
        behind = urlsplit(self.proxy.url).port
        return {**super().env, "BATON_TEST_CLUSTER_REMAP": f"{self._node.port} {behind}"}
