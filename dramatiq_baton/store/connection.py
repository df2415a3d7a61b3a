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
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..errors import BatonError, ConfigurationError, CorruptData, StoreError, StoreUnavailable
from .talks import Ask, Pause, Question, T, Talk, hold

Argument = str | bytes | int | float

#: How much longer than a command blocks its reply is waited for, in seconds.
GRACE = 5.0

#: A server that answers like this may answer otherwise soon.
PASSING = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
#: So does one that answers with one of these words; redis-py has no classes for them.
PASSING_WORDS = ("NOREPLICAS", "MISCONF", "BUSY", "UNBLOCKED", "FAILOVER")
REFUSED = (AuthenticationError, AuthorizationError)
#: What the server says of data of another kind. A script of ours that breaks off has found something that none of them
#: writes: a number where a list belongs, a list that is too short.
NOT_OURS = ("WRONGTYPE", "user_script")


class Connections:
    """Asks Redis, on a connection of the calling thread's own.

    Parameters:
      client: Any redis-py client; only its address, credentials and connection class are used.
    """

    def __init__(self, client: redis.Redis) -> None:
        pool = client.connection_pool
        self._class: Callable[..., Any] = pool.connection_class
        # Replies are read as bytes whatever the user's client does; the scripts' replies are flat
        # enough for the older protocol.
        self._kwargs = {**pool.connection_kwargs, "decode_responses": False, "protocol": 2}
        self._kwargs.pop("maint_notifications_config", None)
        self._local = threading.local()
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self.address = _address(self._kwargs)

    def ask(self, *command: Argument, timeout: float | None = None) -> Any:
        """Send one command and return its reply.

        Parameters:
          command: The command's name and arguments.
          timeout: Seconds to wait for the reply to begin, for a command that blocks; else the connection's own.

        Raises:
          StoreUnavailable: If there is no answer; the command may have been carried out or not.
          ConfigurationError: If the server refuses the credentials.
          CorruptData: If a key holds another type than it should.
          StoreError: If the server refuses the command for another reason.
        """
        return self.ask_all([command], timeout=timeout)[0]

    def ask_all(self, commands: Sequence[Sequence[Argument]], *, timeout: float | None = None) -> list[Any]:
        """Send several commands at once and return their replies. Raises as :meth:`ask` does."""
        connection = None
        try:
            connection = self._connection()
            packed = (
                connection.pack_command(*commands[0])
                if len(commands) == 1
                else connection.pack_commands(commands)
            )
            connection.send_packed_command(packed, check_health=False)
            if timeout is not None and not connection.can_read(timeout):
                raise RedisTimeoutError(f"no reply within {timeout:g} s")
            replies = [self._read(connection) for _ in commands]
        except BaseException as error:
            if connection is not None:
                connection.disconnect()
            if isinstance(error, RedisError | OSError):
                raise self.translated(error) from error
            raise
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
        try:
            return self._class(**self._kwargs)
        except TypeError as error:
            raise ConfigurationError(
                f"no connection to Redis at {self.address} can be made: {error}; check the URL's options"
            ) from None

    @property
    def settings(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The class of the connections, and what it is called with."""
        return self._class, self._kwargs

    def _read(self, connection: Any) -> Any:
        try:
            return connection.read_response()
        except PASSING + REFUSED:
            raise
        except ResponseError as error:
            return error  # the replies behind it still have to be read

    def _connection(self) -> Any:
        local = self._local
        if getattr(local, "pid", None) != os.getpid():  # a connection isn't shared with a fork
            local.connection = self.make()
            local.pid = os.getpid()
            self._open.add(local.connection)
        elif _is_stale(local.connection):
            local.connection.disconnect()  # sending connects again
        return local.connection

    def translated(self, error: Exception, command: Sequence[Argument] = ()) -> BatonError:
        """What is raised for an error of redis-py, or of the system; ``command`` is what the server refused."""
        if isinstance(error, REFUSED) or str(error).startswith(("NOAUTH", "NOPERM", "WRONGPASS")):
            return ConfigurationError(
                f"Redis at {self.address} refuses the credentials: {error}; check user and password in the URL"
            )
        if isinstance(error, (*PASSING, OSError)) or str(error).startswith(PASSING_WORDS):
            return StoreUnavailable(f"Redis at {self.address} doesn't answer: {error}")
        if any(words in str(error) for words in NOT_OURS):
            return CorruptData(
                f"{_key(command)!r} in Redis at {self.address}, or a key that belongs to it, holds what Baton "
                f"didn't write: {error}; if another program uses the same namespace, choose another one"
            )
        refused = f"a command about {_key(command)!r}" if command else "the connection"
        return StoreError(f"Redis at {self.address} refused {refused}: {error}")


def same_server(connections: Connections, client: redis.Redis) -> bool:
    """Whether a client speaks to the same database as the same user, as far as its settings tell."""
    ours, theirs = connections._kwargs, client.connection_pool.connection_kwargs
    names = ("host", "port", "path", "db", "username")
    defaults = {"host": "localhost", "port": 6379, "db": 0}
    return all(
        (ours.get(name) or defaults.get(name)) == (theirs.get(name) or defaults.get(name)) for name in names
    )


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


def _address(kwargs: dict[str, Any]) -> str:
    if path := kwargs.get("path"):
        return str(path)
    return f"{kwargs.get('host', 'localhost')}:{kwargs.get('port', 6379)}/{kwargs.get('db') or 0}"


def _key(command: Sequence[Argument]) -> str:
    """The key that a command is about, or the first one of a script; empty if there is none."""
    if not command:
        return ""
    match str(command[0]):
        case "EVALSHA" | "EVAL":
            return str(command[3])
        case "XREAD":
            return str(command[-2])
    return str(command[1]) if len(command) > 1 else ""
