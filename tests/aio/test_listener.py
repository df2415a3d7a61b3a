"""The listener of an event loop: what it reads, on which connections, and what those who wait hear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from dramatiq_baton import CorruptData, StoreUnavailable
from dramatiq_baton.store.async_connection import Twin
from dramatiq_baton.store.connection import Connections
from dramatiq_baton.store.listener import STREAMS, Listener
from dramatiq_baton.store.talks import Await
from tests.support.line import Line
from tests.support.world import World

#: Longer than any test lasts: whoever waits so long has to be woken.
LONG = 600.0


class Streams:
    """Some streams, and a listener on a line that is watched."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._client = redis.Redis.from_url(url)
        self.line = Line(url)
        self._watched = redis.Redis.from_url(self.line.url)
        self.listener = Listener(Twin(Connections(self._watched)))

    def key(self, name: str) -> str:
        return f"{self._world.namespace}:stream:{name}"

    def add(self, name: str) -> str:
        """Add an entry; returns its id."""
        found = self._client.xadd(self.key(name), {"some": "thing"})
        self._client.expire(self.key(name), 600)
        return bytes(found).decode()

    def spoil(self, name: str) -> None:
        self._client.set(self.key(name), "not a stream", ex=600)

    async def waiting(self, name: str, since: str = "0") -> asyncio.Task[str | None]:
        """A task that waits for a stream, once the listener knows it."""
        task = asyncio.create_task(self.listener.wait(Await(self.key(name), since, LONG)))
        await asyncio.sleep(0)
        return task

    async def until_reads(self, times: int) -> None:
        await asyncio.to_thread(self.line.wait_for, "XREAD", times=times)

    @property
    def connected(self) -> int:
        """How often it has connected: each time it says which library it is, and of which version."""
        return self.line.count("CLIENT") // 2

    def close(self) -> None:
        self.line.__exit__()
        self._watched.close()
        self._client.close()


@contextmanager
def listening(world: World) -> Iterator[Streams]:
    streams = Streams(world, world.url)
    try:
        yield streams
    finally:
        streams.close()


def test_a_stream_that_is_followed_is_read_on_without_connecting_anew(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        since = "0"
        for _ in range(20):
            task = await streams.waiting("a", since)
            added = streams.add("a")
            since = await task or ""
            assert since == added
        assert streams.connected == 1

    with listening(own_world) as streams:
        asyncio.run(caller(streams))


def test_who_comes_at_the_same_time_is_read_by_the_same_command(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        tasks = [await streams.waiting(f"{number}") for number in range(STREAMS)]
        added = [streams.add(f"{number}") for number in range(STREAMS)]
        assert await asyncio.gather(*tasks) == added
        assert streams.connected <= 2  # the first one may have begun alone

    with listening(own_world) as streams:
        asyncio.run(caller(streams))


def test_each_hears_of_what_is_behind_its_own_place(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        first = streams.add("a")
        early, late = await streams.waiting("a"), await streams.waiting("a", first)
        assert await early == first
        assert not late.done()
        second = streams.add("a")
        assert await late == second

    with listening(own_world) as streams:
        asyncio.run(caller(streams))


def test_when_the_time_is_over_the_answer_is_that_there_is_nothing(own_world: World) -> None:
    with listening(own_world) as streams:
        assert asyncio.run(streams.listener.wait(Await(streams.key("a"), "0", 0.01))) is None


def test_a_key_that_is_no_stream_fails_only_who_waits_for_it(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        streams.spoil("bad")
        good, bad = await streams.waiting("good"), await streams.waiting("bad")
        with pytest.raises(CorruptData, match=f"'{streams.key('bad')}'.* holds what Baton didn't write"):
            await bad
        added = streams.add("good")
        assert await good == added

    with listening(own_world) as streams:
        asyncio.run(caller(streams))


def test_a_connection_that_is_lost_fails_everybody_at_once(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        tasks = [await streams.waiting(name) for name in "aabc"]
        await streams.until_reads(1)
        streams.line.go_down()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in errors] == [StoreUnavailable] * 4
        assert len({id(error) for error in errors}) == 4  # each its own
        streams.line.come_up()
        task = await streams.waiting("a")
        added = streams.add("a")
        assert await task == added

    with listening(own_world) as streams:
        asyncio.run(caller(streams))


def test_when_all_who_waited_are_cancelled_nothing_goes_on_for_long(own_world: World) -> None:
    async def caller(streams: Streams) -> None:
        one, other = await streams.waiting("a"), await streams.waiting("b")
        await streams.until_reads(1)
        one.cancel()
        await asyncio.wait([one])
        added = streams.add("b")
        assert await other == added
        reader = next(task for task in asyncio.all_tasks() if task.get_name() == "baton-reader")
        streams.add("b")  # for which nobody waits any more
        await reader

    with listening(own_world) as streams:
        asyncio.run(caller(streams))
