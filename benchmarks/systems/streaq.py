"""streaQ: tasks that start after others, by id; results are read from Redis by those who need several."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from streaq import Worker

from .. import probe, shapes, steps
from . import System, command

#: Tasks at once in a worker; the default is 16.
CONCURRENCY = 64

worker = Worker(redis_url=probe.url(), concurrency=CONCURRENCY)


async def results(ids: list[str]) -> list[Any]:
    """The results of tasks that have ended, with one MGET. ``result_by_id`` would subscribe once for each."""
    stored = await worker.redis.mget([worker.results_key + task for task in ids])
    return [(await worker.deserialize(data))["r"] for data in stored]


@worker.task(silent=True)
async def hello() -> None:
    probe.ready()


@worker.task(silent=True)
async def link(value: int) -> int:
    return steps.link(value)


@worker.task(silent=True)
async def end(value: int) -> int:
    probe.tell(found := steps.link(value))
    return found


@worker.task(silent=True)
async def nap(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return steps.nap(0)


@worker.task(silent=True)
async def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


@worker.task(silent=True)
async def turn(data: str) -> str:
    return steps.turn(data)


@worker.task(silent=True)
async def turn_last(data: str) -> str:
    found = steps.turn(data)
    probe.tell(steps.digest(found))
    return found


@worker.task(silent=True)
async def source() -> int:
    return steps.BASE


@worker.task(silent=True)
async def part(base: str, number: int) -> int:
    return steps.part((await results([base]))[0], number)


@worker.task(silent=True)
async def total(ids: list[str]) -> int:
    probe.tell(found := sum(await results(ids)))
    return found


@worker.task(silent=True)
async def first(number: int) -> int:
    return number


@worker.task(silent=True)
async def left(before: str) -> int:
    return steps.left((await results([before]))[0])


@worker.task(silent=True)
async def right(before: str) -> int:
    return steps.right((await results([before]))[0])


@worker.task(silent=True)
async def visit(step: str, count: int) -> None:
    probe.visit(step, count)


class Streaq(System):
    packages = ("streaq", "coredis")
    notes = (
        f"`streaq run`, concurrency {CONCURRENCY} (tasks of one thread)",
        "real graphs, by `start(after=ids)`; such tasks read results themselves, here with GET and one MGET, not"
        " with `result()`, which is many times slower",
    )

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._entered = False

    def worker_commands(self, processes: int) -> list[list[str]]:
        return [[command("streaq"), "run", f"{__name__}:worker", "--workers", str(processes)]]

    def hello(self) -> None:
        self._submit(self._start(hello.enqueue()))

    def chain(self, length: int) -> None:
        task = link.enqueue(0)
        for _ in range(length - 2):
            task = task.then(link)
        self._submit(self._start(task.then(end)))

    def hop(self, seconds: float) -> None:
        self._submit(self._start(nap.enqueue(seconds).then(wake)))

    def payload(self, length: int, data: str) -> None:
        task = turn.enqueue(data)
        for _ in range(length - 2):
            task = task.then(turn)
        self._submit(self._start(task.then(turn_last)))

    def fan(self, width: int) -> None:
        async def submit() -> None:
            base = await source.enqueue()
            parts = [part.enqueue(base.id, number).start(after=base.id) for number in range(width)]
            await asyncio.gather(*map(self._start, parts))
            ids = [task.id for task in parts]
            await total.enqueue(ids).start(after=ids)

        self._submit(submit())

    def diamonds(self, numbers: range) -> None:
        async def submit() -> None:
            for number in numbers:
                one = await first.enqueue(number)
                two = await left.enqueue(one.id).start(after=one.id)
                three = await right.enqueue(one.id).start(after=one.id)
                await total.enqueue([two.id, three.id]).start(after=[two.id, three.id])

        self._submit(submit())

    def science(self, shape: shapes.Shape) -> None:
        async def submit() -> None:
            ids: dict[str, str] = {}
            for step, parents in shape.parents.items():
                after = [ids[parent] for parent in parents]
                ids[step] = (await visit.enqueue(step, len(shape)).start(after=after)).id

        self._submit(submit())

    def backlog(self, width: int) -> None:
        self.fan(width)

    @staticmethod
    async def _start(task: Any) -> None:
        await task

    def _submit(self, work: Coroutine[Any, Any, None]) -> None:
        if not self._entered:
            self._runner.run(worker.__aenter__())
            self._entered = True
        self._runner.run(work)


system = Streaq()
