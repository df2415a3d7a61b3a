"""Connections to Redis for the tasks of an event loop, made with the settings of the blocking ones."""

from __future__ import annotations

import asyncio
import inspect
import select
from typing import Any

import redis
from redis import asyncio as aioredis
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..errors import ConfigurationError
from .connection import Connections
from .refusals import PASSING, is_refused, unwrapped
from .routes import Patience
from .talks import Argument


class TLSConnection(aioredis.SSLConnection):
    """A connection by TLS that is cut off when it is closed.

    Else it would say goodbye and wait for the answer, though its event loop may be about to end.
    """

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(*args, **kwargs)


#: The asynchronous connections of redis-py, by the blocking ones that they stand for.
TWINS: dict[Any, type[Any]] = {
    redis.Connection: aioredis.Connection,
    redis.SSLConnection: TLSConnection,
    redis.UnixDomainSocketConnection: aioredis.UnixDomainSocketConnection,
}
#: The settings that mean the same for both, besides those that begin with ``ssl_``.
SHARED = (
    *("host", "port", "path", "db", "username", "password", "credential_provider", "client_name"),
    *("socket_connect_timeout", "socket_keepalive", "socket_keepalive_options", "socket_type"),
    *("driver_info", "encoding", "encoding_errors", "decode_responses", "protocol"),
)
#: Settings that only blocking ones have, and without which one would trust, or be, somebody else.
BLOCKING_ONLY = ("redis_connect_func", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled")


class Twin:
    """Makes asynchronous connections to where the blocking ones go.

    Parameters:
      connections: The blocking ones.

    Raises:
      ConfigurationError: If there can't be asynchronous ones with their settings.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._patience = connections.make().socket_timeout  # refuses what is no good for those either
        kind, settings = connections.route.kind, connections.route.settings
        if kind not in TWINS:
            raise ConfigurationError(
                f"asynchronous callers can't use connections of the class {kind!r}; give BatonMiddleware a url="
            )
        for name in BLOCKING_ONLY:
            if settings.get(name):
                raise ConfigurationError(
                    f"asynchronous callers can't use a Redis client with {name}=; give BatonMiddleware one without"
                )
        self._class = TWINS[kind]
        taken = _parameters(self._class)
        self._kwargs = {
            name: value
            for name, value in settings.items()
            if name in taken and (name in SHARED or name.startswith("ssl_"))
        }
        self._kwargs["socket_timeout"] = None

    def connection(self, *, patience: float | None = None) -> AsyncConnection:
        """A connection, not opened yet.

        Parameters:
          patience: How many seconds to wait for a reply; as long as the blocking ones do, if not given.
        """
        return AsyncConnection(
            self._connections, self._class(**self._kwargs), self._patience if patience is None else patience
        )


class AsyncConnection:
    """A connection on which one command is asked and answered at a time.

    Parameters:
      connections: Knows what errors mean.
      connection: A connection of redis-py's, without a timeout: its own one may swallow that a task is cancelled.
      patience: How many seconds a reply is waited for; ``None`` for ever.
    """

    def __init__(self, connections: Connections, connection: Any, patience: float | None) -> None:
        self._connections = connections
        self._connection = connection
        self._patience = patience

    async def ask(self, *command: Argument) -> Any:
        """Send one command and return its reply; raises as :meth:`.Connections.ask` does.

        If it is cancelled, the connection is closed: nothing is left on it that would answer the next command.
        """
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask(command)
        except TimeoutError as error:
            late = RedisTimeoutError(f"no reply within {self._patience} s")
            raise self._connections.translated(late) from error

    async def _ask(self, command: tuple[Argument, ...]) -> Any:
        patience: Patience | None = None
        while True:
            try:
                return await self._ask_once(command)
            except BaseException as error:
                said = unwrapped(error) if isinstance(error, ResponseError) else error
                refused = (
                    isinstance(said, ResponseError) and not isinstance(said, PASSING) and not is_refused(said)
                )
                if not refused:
                    await self.close()
                if isinstance(said, NoScriptError) or not isinstance(said, RedisError | OSError):
                    raise
                patience = patience or Patience()
                pause = patience.pause() if self._connections.route.may_ask_again(said) else None
                if pause is None:
                    raise self._connections.translated(said, command if refused else ()) from error
                await asyncio.sleep(pause)

    async def _ask_once(self, command: tuple[Argument, ...]) -> Any:
        connection = self._connection
        if self._is_stale():
            await self.close()  # sending connects again
        if not connection.is_connected and not self._connections.route.is_fixed:
            await self._open()
        await connection.send_packed_command(connection.pack_command(*command), check_health=False)
        return await connection.read_response()

    async def _open(self) -> None:
        """Connect to the first target that can be reached; see ``_open_one()`` in ``connection.py``."""
        connection = self._connection
        failure: Exception | None = None
        for connection.host, connection.port in await asyncio.to_thread(self._connections.route.targets):
            try:
                await connection.connect()
            except (RedisError, OSError) as error:
                if is_refused(error):
                    raise
                failure = error
            else:
                return
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """Close the connection; asking opens it again."""
        await self._connection.disconnect(nowait=True)

    def _is_stale(self) -> bool:
        """Whether the server has closed a connection that was idle; see its namesake in ``connection.py``."""
        connection = self._connection
        if not connection.is_connected:
            return False
        if connection._reader.at_eof():
            return True
        poll = select.poll()  # the loop may not have heard of it yet
        try:
            poll.register(connection._writer.get_extra_info("socket"), select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True


def _parameters(kind: type[Any]) -> set[str]:
    """What a class and its bases may be called with."""
    return {name for base in kind.__mro__[:-1] for name in inspect.signature(base).parameters}
