"""A watched line to Redis: remembers each command, and breaks where a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum

from .proxy import Proxy

Command = list[bytes]


class Fate(Enum):
    """What becomes of a command and of the connection that it came on."""

    KEPT = 0  #: it is carried out and answered
    CUT_BEFORE = 1  #: it never reaches the server
    CUT_AFTER = 2  #: it is carried out, but the reply is lost


class Line:
    """A :class:`.Proxy` that passes on one command after the other and remembers them.

    Parameters:
      url: The server.
      fate: Says what becomes of a command. Calls don't overlap.
      answered: Called when the server has answered a command that doesn't block; nor do these overlap.
    """

    def __init__(
        self,
        url: str,
        fate: Callable[[Command], Fate] | None = None,
        answered: Callable[[Command], None] | None = None,
    ) -> None:
        self._fate = fate
        self._answered = answered
        self._commands: list[Command] = []
        self._changed = threading.Condition()
        self._turn = threading.Lock()
        self._fates = threading.local()
        self._proxy = Proxy(url, self)
        self.url = self._proxy.url

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.close()

    @property
    def commands(self) -> list[Command]:
        """The commands that came, in order."""
        with self._changed:
            return list(self._commands)

    def count(self, name: str) -> int:
        """How many commands of a name came."""
        return sum(command[0].upper() == name.encode() for command in self.commands)

    def wait_for(self, name: str, *, times: int = 1, timeout: float = 30) -> None:
        """Wait until commands of a name came."""

        def arrived() -> bool:
            return sum(command[0].upper() == name.encode() for command in self._commands) >= times

        with self._changed:
            assert self._changed.wait_for(arrived, timeout), f"{name} never came"

    def go_down(self) -> None:
        """Cut all connections and let no new ones through until :meth:`come_up`."""
        self._proxy.go_down()

    def come_up(self) -> None:
        self._proxy.come_up()

    # What the proxy calls -------------------------------------------------------------------------

    def before(self, command: Command) -> None:
        if b"BLOCK" not in command:
            self._turn.acquire()
        try:
            with self._changed:
                self._commands.append(command)
                self._changed.notify_all()
            self._fates.now = Fate.KEPT if self._fate is None else self._fate(command)
            if self._fates.now is Fate.CUT_BEFORE:
                raise ConnectionAbortedError
        except BaseException:
            self._end_turn(command)
            raise

    def after(self, command: Command, reply: bytes) -> None:
        try:
            if self._answered is not None and b"BLOCK" not in command:
                self._answered(command)
            if self._fates.now is Fate.CUT_AFTER:
                raise ConnectionAbortedError
        finally:
            self._end_turn(command)

    def _end_turn(self, command: Command) -> None:
        if b"BLOCK" not in command:
            self._turn.release()
