"""Asking Redis from event loops, each on connections of its own: an asynchronous connection belongs to one loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from .async_connection import AsyncConnection, Twin
from .connection import Connections
from .listener import Listener
from .talks import Argument, Ask, Pause, Question, T, Talk, hold_async

#: How many commands a loop asks at the same time. Each is answered in less than 5 ms.
MOST = 8


class Loops:
    """Asks Redis on a connection of the running event loop's own.

    Parameters:
      connections: Say where Redis is, and how to connect.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._own: dict[asyncio.AbstractEventLoop, LoopConnections] = {}

    async def hold(self, talk: Talk[T]) -> T:
        """Take a talk through. Raises as :meth:`answer` does, besides what the talk itself raises."""
        return await hold_async(talk, self.answer)

    async def answer(self, question: Question) -> Any:
        """Ask what a talk wants to know; raises as :meth:`.Connections.ask` does.

        Raises:
          ConfigurationError: Also if there can be no asynchronous connections with the client's settings.
        """
        loop = asyncio.get_running_loop()
        own = self._own.get(loop)
        if own is None:
            for other in list(self._own):
                if other.is_closed():  # by somebody who left out what asyncio.run does before
                    self._own.pop(other, None)
            own = self._own[loop] = LoopConnections(self._connections)
            own.lifetime = self._lifetime(loop, own)
            await anext(own.lifetime)
        return await own.answer(question)

    async def _lifetime(
        self, loop: asyncio.AbstractEventLoop, own: LoopConnections
    ) -> AsyncGenerator[None, None]:
        """Is told when the loop ends: ``asyncio.run`` and its like close whatever asynchronous generator is left."""
        try:
            yield
        finally:
            self._own.pop(loop, None)
            await own.close()


class LoopConnections:
    """The connections of one event loop: some for commands, and those of its listener.

    Parameters:
      connections: Say where Redis is, and how to connect.

    Attributes:
      lifetime: What closes them when the loop ends.
    """

    lifetime: AsyncGenerator[None, None]

    def __init__(self, connections: Connections) -> None:
        self._twin = Twin(connections)
        self._listener = Listener(self._twin)
        self._room = asyncio.Semaphore(MOST)
        self._idle: list[AsyncConnection] = []

    async def answer(self, question: Question) -> Any:
        if isinstance(question, Ask):
            return await self._ask(question.command)
        if isinstance(question, Pause):
            return await asyncio.sleep(0)
        return await self._listener.wait(question)

    async def _ask(self, command: tuple[Argument, ...]) -> Any:
        async with self._room:
            connection = self._idle.pop() if self._idle else self._twin.connection()
            try:
                return await connection.ask(*command)
            finally:
                self._idle.append(connection)  # if anything went wrong it is closed, and opens itself again

    async def close(self) -> None:
        """Close those that are idle; whoever used another one has been cancelled, which closes it."""
        for connection in self._idle:
            await connection.close()
        await asyncio.sleep(0)  # in which the loop closes the sockets
