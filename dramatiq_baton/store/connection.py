"""A connection to Redis for each thread, on which one command is asked and answered at a time.

Why not redis-py's client: Dramatiq raises exceptions asynchronously in worker threads (time limit,
shutdown). One that lands between sending a command and reading its reply would give a connection back
to the pool that answers the *previous* question next. Here a connection belongs to one thread, and
whatever goes wrong during a command closes it.
"""

from __future__ import annotations

import os
import select
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError, RedisError, ResponseError

from ..errors import BatonError, ConfigurationError
from ..names import is_in_braces
from . import tls
from .refusals import PASSING, is_refused, translated, unwrapped
from .routes import Client, Patience, route_to
from .talks import Argument, Ask, Pause, Question, T, Talk, hold

#: How much longer than a command blocks its reply is waited for, in seconds.
GRACE = 5.0


class Connections:
    """Asks Redis, on a connection of the calling thread's own.

    Parameters:
      client: A redis-py client that blocks; only its address, credentials and connection class are used.
      namespace: What the names of all keys begin with, if they are Baton's. In braces, it may lie on a cluster.

    Attributes:
      route: Says where to connect, and what with.

    Raises:
      ConfigurationError: If no connections can be made with the client's settings.
    """

    def __init__(self, client: Client, namespace: str = "") -> None:
        self.route = route_to(client, one_slot=is_in_braces(namespace))
        self._namespace = namespace
        self._local = threading.local()
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def address(self) -> str:
        """How errors call the server."""
        return self.route.address

    def ask(self, *command: Argument, timeout: float | None = None) -> Any:
        """Send one command and return its reply.

        Parameters:
          command: The command's name and arguments.
          timeout: Seconds to wait for the reply, for a command that blocks; else the connection's own.

        Raises:
          StoreUnavailable: If there is no answer; the command may have been carried out or not.
          ConfigurationError: If the server refuses the credentials.
          CorruptData: If a key holds another type than it should.
          StoreError: If the server refuses the command for another reason.
        """
        return self.ask_all([command], timeout=timeout)[0]

    def ask_all(self, commands: Sequence[Sequence[Argument]], *, timeout: float | None = None) -> list[Any]:
        """Send several commands at once and return their replies. Raises as :meth:`ask` does."""
        replies: list[Any] | None = None
        patience: Patience | None = None
        while replies is None:
            connection = None
            try:
                connection = self._connection()
                packed = (
                    connection.pack_command(*commands[0])
                    if len(commands) == 1
                    else connection.pack_commands(commands)
                )
                connection.send_packed_command(packed, check_health=False)
                options = {} if timeout is None else {"timeout": timeout}
                replies = [self._read(connection, options) for _ in commands]
            except BaseException as error:
                if connection is not None:
                    connection.disconnect()
                if not isinstance(error, RedisError | OSError):
                    raise
                patience = patience or Patience()
                pause = patience.pause() if self.route.may_ask_again(error) else None
                if pause is None:
                    raise self.translated(error) from error
                time.sleep(pause)
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, NoScriptError):
                raise reply
            if isinstance(reply, ResponseError):
                raise self.translated(reply, command) from reply
        return replies

    def hold(self, talk: Talk[T]) -> T:
        """Take a talk through. Raises as :meth:`ask` does, besides what the talk itself raises."""
        return hold(talk, self.answer)

    def answer(self, question: Question) -> Any:
        """Ask what a talk wants to know. Raises as :meth:`ask` does."""
        if isinstance(question, Ask):
            return self.ask(*question.command)
        if isinstance(question, Pause):
            return None
        blocking = ("BLOCK", max(1, int(question.seconds * 1000)), "STREAMS", question.key, question.since)
        reply = self.ask("XREAD", "COUNT", 1, *blocking, timeout=question.seconds + GRACE)
        return reply[0][1][0][0].decode() if reply else None

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in list(self._open):
            connection.disconnect()

    def make(self) -> Any:
        """A connection of redis-py's, not opened yet.

        Raises:
          ConfigurationError: If its settings can't be used.
        """
        tls.check_files(self.route.settings)
        try:
            return self.route.kind(**self.route.settings)
        except (TypeError, RedisError) as error:
            raise ConfigurationError(
                f"no connection to Redis at {self.address} can be made: {error}; check the URL's options"
            ) from None

    def _read(self, connection: Any, options: dict[str, Any]) -> Any:
        try:
            return connection.read_response(**options)
        except ResponseError as error:
            said = unwrapped(error)
            if isinstance(said, PASSING) or is_refused(said):
                raise said from None
            return said  # the replies behind it still have to be read

    def _connection(self) -> Any:
        local = self._local
        if getattr(local, "pid", None) != os.getpid():  # a connection isn't shared with a fork
            local.connection = self.make()
            local.pid = os.getpid()
            self._open.add(local.connection)
        elif _is_stale(local.connection):
            local.connection.disconnect()  # sending connects again
        if local.connection._sock is None and not self.route.is_fixed:
            self._open_one(local.connection)
        return local.connection

    def _open_one(self, connection: Any) -> None:
        """Connect to the first target that can be reached."""
        failure: Exception | None = None
        for connection.host, connection.port in self.route.targets():
            try:
                connection.connect()
            except (RedisError, OSError) as error:
                if is_refused(error):
                    raise
                failure = error
            else:
                return
        if failure is not None:
            raise failure

    def translated(self, error: Exception, command: Sequence[Argument] = ()) -> BatonError:
        """What is raised for an error of redis-py, or of the system; ``command`` is what the server refused."""
        return translated(error, address=self.address, namespace=self._namespace, command=command)


def same_server(connections: Connections, client: Client) -> bool:
    """Whether a client speaks to the same database as the same user, as far as its settings tell."""
    place = connections.route.place
    return place is not None and place == route_to(client).place


def _is_stale(connection: Any) -> bool:
    """Whether the server has closed a connection that was idle, as it does when it restarts."""
    socket = connection._sock
    if socket is None:
        return False
    # Nothing was asked, so whatever there is to be read is the end. (redis-py's own look takes ten times as long.)
    poll = select.poll()
    try:
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True
