"""Waiting for entries of many streams at once: many tasks share one blocking read.

Tasks that wait for a thousand workflows would need a thousand connections if each of them blocked on one. Here a
*reader* blocks on one connection for up to :data:`STREAMS` streams, and wakes whoever waited for what it got. One who
wants to wait for a stream that isn't being read has the read begin anew, with that stream: reading takes nothing
away, so breaking it off loses nothing.
"""

from __future__ import annotations

import asyncio
from copy import copy

from ..errors import BatonError, CorruptData, StoreError
from .async_connection import AsyncConnection, Twin
from .connection import GRACE
from .talks import Await

#: Streams that one command waits for.
STREAMS = 100
#: How long one read blocks at the most, in seconds. It is no polling interval: an entry ends it at once. It bounds how
#: long a dead connection goes unnoticed.
LONGEST_READ = 10.0

#: An entry's id, to be compared.
Place = tuple[int, int]


class Listener:
    """Waits for entries of streams, for all tasks of one event loop.

    Parameters:
      twin: Makes connections.
    """

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._readers: list[Reader] = []

    async def wait(self, question: Await) -> str | None:
        """Answer a question; raises as :meth:`.AsyncConnection.ask` does."""
        return await self._reader_for(question.key).wait(question)

    def _reader_for(self, key: str) -> Reader:
        for reader in self._readers:
            if key in reader.streams:
                return reader
        for reader in self._readers:
            if len(reader.streams) < STREAMS:
                return reader
        self._readers.append(Reader(self._twin))
        return self._readers[-1]


class Reader:
    """Reads up to :data:`STREAMS` streams, as long as somebody waits for them.

    Parameters:
      twin: Makes connections.
    """

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._waiting: dict[str, dict[asyncio.Future[str], Place]] = {}
        # Streams that somebody was woken for, and by which entry. Mostly the next one is waited for soon, so they are
        # read on, which saves beginning anew; until there is an entry that nobody waits for, or none for long.
        self._told: dict[str, Place] = {}
        self._read: dict[str, Place] | None = (
            None  # what the present command reads; None while there is none yet
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> set[str]:
        return self._waiting.keys() | self._told.keys()

    async def wait(self, question: Await) -> str | None:
        """Answer a question about one of the streams, or about one more."""
        key, since = question.key, _place(question.since)
        woken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, {})[woken] = since
        if not self._will_see(key, since):
            self._begin_anew()
        try:
            await asyncio.wait([woken], timeout=question.seconds)
        finally:
            self._forget(key, woken)
        return woken.result() if woken.done() else None

    def _will_see(self, key: str, since: Place) -> bool:
        if self._task is None:
            return False
        return self._read is None or (key in self._read and self._read[key] <= since)

    def _begin_anew(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._read = None
        self._task = asyncio.create_task(self._run(), name="baton-reader")

    async def _run(self) -> None:
        connection = self._twin.connection(patience=LONGEST_READ + GRACE)
        try:
            while self._waiting or self._told:
                await self._read_once(connection)
        except BatonError as error:
            for key in list(self._waiting):
                self._fail(key, error)
        finally:
            if self._task is asyncio.current_task():  # else another one goes on
                self._task = self._read = None
                self._told.clear()
            await connection.close()

    async def _read_once(self, connection: AsyncConnection) -> None:
        waited_for = {key: min(waiting.values()) for key, waiting in self._waiting.items()}
        self._read = {**self._told, **waited_for}
        try:
            replies = await _xread(connection, self._read, block=LONGEST_READ)
        except (CorruptData, StoreError) as error:
            if not await self._fail_refused(connection, self._read):
                raise error from None
            return
        if not replies:
            self._told.clear()
        for key, found in replies.items():
            self._tell(key, found)

    def _tell(self, key: str, found: Place) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            self._told.pop(key, None)
            return
        for woken, since in list(waiting.items()):
            if since < found:
                woken.set_result(_id(found))
                self._forget(key, woken)
        self._told[key] = found

    async def _fail_refused(self, connection: AsyncConnection, streams: dict[str, Place]) -> bool:
        """Fail those who wait for a key that can't be read; the others needn't know. Returns whether there is one."""
        found = False
        for key, since in streams.items():
            try:
                await _xread(connection, {key: since})
            except (CorruptData, StoreError) as error:
                self._fail(key, error)
                found = True
        return found

    def _fail(self, key: str, error: BatonError) -> None:
        self._told.pop(key, None)
        for woken in list(self._waiting.get(key, ())):
            woken.set_exception(copy(error))  # of its own, to which each adds where it was raised
            self._forget(key, woken)

    def _forget(self, key: str, woken: asyncio.Future[str]) -> None:
        waiting = self._waiting.get(key, {})
        waiting.pop(woken, None)
        if not waiting:
            self._waiting.pop(key, None)


async def _xread(
    connection: AsyncConnection, streams: dict[str, Place], *, block: float | None = None
) -> dict[str, Place]:
    """The first entry of each stream behind its place, once there is one in any of them."""
    blocking = () if block is None else ("BLOCK", int(block * 1000))
    places = [_id(place) for place in streams.values()]
    reply = await connection.ask("XREAD", "COUNT", 1, *blocking, "STREAMS", *streams, *places)
    return {key.decode(): _place(entries[0][0].decode()) for key, entries in reply or ()}


def _place(entry_id: str) -> Place:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _id(place: Place) -> str:
    return f"{place[0]}-{place[1]}"
