"""pydocket: it has no graphs, so steps add what follows them, and count down what their joins wait for."""

# ruff: noqa: B008, pydocket finds what a task needs in its defaults

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import uuid4

from docket import CurrentDocket, Docket, Worker

from .. import probe, shapes, steps
from . import System

#: Tasks at once in a worker. A worker with fewer waits more; with more than 100 it runs out of connections.
CONCURRENCY = 64
#: How often a worker whose tasks are all busy looks whether one has ended. Its default is 100 ms.
CHECKS = timedelta(milliseconds=10)
NAME = "benchmark"


async def hello() -> None:
    probe.ready()


async def link(value: int, left: int, docket: Docket = CurrentDocket()) -> None:
    if left:
        await docket.add(link)(steps.link(value), left - 1)
    else:
        probe.tell(steps.link(value))


async def nap(seconds: float, docket: Docket = CurrentDocket()) -> None:
    await asyncio.sleep(seconds)
    await docket.add(wake)(steps.nap(0))


async def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


async def turn(data: str, left: int, docket: Docket = CurrentDocket()) -> None:
    turned = steps.turn(data)
    if left:
        await docket.add(turn)(turned, left - 1)
    else:
        probe.tell(steps.digest(turned))


async def source(width: int, docket: Docket = CurrentDocket()) -> None:
    await add_parts(docket, width)


async def part(run: str, base: int, number: int, width: int, docket: Docket = CurrentDocket()) -> None:
    await join(docket, run, str(number), steps.part(base, number), width)


async def total(values: list[int]) -> None:
    probe.tell(sum(values))


async def first(number: int, docket: Docket = CurrentDocket()) -> None:
    run = uuid4().hex
    await docket.add_many([docket.call(left)(run, number), docket.call(right)(run, number)])


async def left(run: str, value: int, docket: Docket = CurrentDocket()) -> None:
    await join(docket, run, "left", steps.left(value), 2)


async def right(run: str, value: int, docket: Docket = CurrentDocket()) -> None:
    await join(docket, run, "right", steps.right(value), 2)


async def visit(run: str, name: str, step: str, docket: Docket = CurrentDocket()) -> None:
    """A step of a shape: each step after it starts when it was the last that it waited for."""
    shape = shapes.science(name)
    probe.visit(step, len(shape))
    children = shape.children[step]
    async with docket.redis() as redis, redis.pipeline(transaction=False) as pipe:
        for child in children:
            pipe.hincrby(f"{NAME}:waits:{run}", child, 1)
        done = await pipe.execute()
    ready = [child for child, count in zip(children, done, strict=True) if count == len(shape.parents[child])]
    if ready:
        await docket.add_many([docket.call(visit)(run, name, child) for child in ready])


async def add_parts(docket: Docket, width: int) -> None:
    run = uuid4().hex
    await docket.add_many([docket.call(part)(run, steps.BASE, n, width) for n in range(width)])


async def join(docket: Docket, run: str, step: str, value: int, width: int) -> None:
    """Store a step's result; the last of ``width`` starts the step that gets them all."""
    key = f"{NAME}:values:{run}"
    async with docket.redis() as redis, redis.pipeline(transaction=True) as pipe:
        pipe.hset(key, step, json.dumps(value))
        pipe.hlen(key)
        done = (await pipe.execute())[-1]
        if done == width:
            values = [json.loads(stored) for stored in await redis.hvals(key)]
            await docket.add(total)(values)


tasks = [hello, link, nap, wake, turn, source, part, total, first, left, right, visit]


class Pydocket(System):
    packages = ("pydocket", "redis", "hiredis")
    notes = (
        f"`Worker.run(concurrency={CONCURRENCY}, minimum_check_interval=10 ms)` (tasks of one thread), three times as"
        " fast as its command, which can't look more often than each 100 ms; a worker for each process",
        "no workflows: each step adds the next (`add_many` for many); joins count in Redis what they wait for",
        "its bytes a pending step: the parts, queued; the join isn't there yet",
    )

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._docket = Docket(name=NAME, url=probe.url())
        self._entered = False

    def worker_commands(self, processes: int) -> list[list[str]]:
        return [[sys.executable, "-m", __name__]] * processes

    def hello(self) -> None:
        self._submit(self._docket.add(hello)())

    def chain(self, length: int) -> None:
        self._submit(self._docket.add(link)(0, length - 1))

    def hop(self, seconds: float) -> None:
        self._submit(self._docket.add(nap)(seconds))

    def payload(self, length: int, data: str) -> None:
        self._submit(self._docket.add(turn)(data, length - 1))

    def fan(self, width: int) -> None:
        self._submit(self._docket.add(source)(width))

    def diamonds(self, numbers: range) -> None:
        async def submit() -> None:
            for number in numbers:
                await self._docket.add(first)(number)

        self._submit(submit())

    def science(self, shape: shapes.Shape) -> None:
        run = uuid4().hex
        calls = [self._docket.call(visit)(run, shape.name, step) for step in shape.levels[0]]
        self._submit(self._docket.add_many(calls))

    def backlog(self, width: int) -> None:
        self._submit(add_parts(self._docket, width))

    def _submit(self, work: Coroutine[Any, Any, Any]) -> None:
        if not self._entered:
            self._runner.run(self._docket.__aenter__())
            self._entered = True
        self._runner.run(work)


system = Pydocket()


if __name__ == "__main__":  # a worker
    asyncio.run(
        Worker.run(
            docket_name=NAME,
            url=probe.url(),
            concurrency=CONCURRENCY,
            minimum_check_interval=CHECKS,
            tasks=["benchmarks.systems.pydocket:tasks"],
        )
    )
