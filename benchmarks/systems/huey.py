"""huey on Redis: pipelines with ``then``, and chords, which a task starts when they need its result."""

from __future__ import annotations

from itertools import pairwise

from huey import RedisHuey
from huey.api import Task, group

from .. import probe, shapes, steps
from ..workloads import THREADS
from . import System, command

huey = RedisHuey("benchmark", url=probe.url(), blocking=True)


@huey.task()
def hello() -> None:
    probe.ready()


@huey.task()
def link(value: int) -> int:
    return steps.link(value)


@huey.task()
def end(value: int) -> int:
    probe.tell(found := steps.link(value))
    return found


@huey.task()
def nap(seconds: float) -> float:
    return steps.nap(seconds)


@huey.task()
def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


@huey.task()
def turn(data: str) -> str:
    return steps.turn(data)


@huey.task()
def turn_last(data: str) -> str:
    found = steps.turn(data)
    probe.tell(steps.digest(found))
    return found


@huey.task()
def source(width: int) -> int:
    huey.enqueue(group([part.s(steps.BASE, number) for number in range(width)]).then(total))
    return steps.BASE


@huey.task()
def part(base: int, number: int) -> int:
    return steps.part(base, number)


@huey.task()
def total(values: list[int]) -> int:
    probe.tell(found := sum(values))
    return found


@huey.task()
def first(number: int) -> int:
    huey.enqueue(group([left.s(number), right.s(number)]).then(total))
    return number


@huey.task()
def left(value: int) -> int:
    return steps.left(value)


@huey.task()
def right(value: int) -> int:
    return steps.right(value)


@huey.task()
def visit(step: str, count: int) -> None:
    probe.visit(step, count)


@huey.task()
def level(results: list[None], name: str, depth: int) -> None:
    run_level(shapes.science(name), depth)


def run_level(shape: shapes.Shape, depth: int) -> None:
    """Run the steps of a depth beside each other, and then those of the next."""
    levels = shape.levels
    if depth < len(levels):
        tasks = group([visit.s(step, len(shape)) for step in levels[depth]])
        huey.enqueue(tasks.then(level.s(name=shape.name, depth=depth + 1)))


def pipeline(*tasks: Task) -> None:
    """Run tasks one after another. ``then`` looks for the end of a pipeline, so it is given the end."""
    for task, following in pairwise(tasks):
        task.then(following)
    huey.enqueue(tasks[0])


class Huey(System):
    packages = ("huey", "redis", "hiredis")
    notes = (
        "RedisHuey with blocking reads, results kept, `huey_consumer -k thread -w 8`; a consumer for each process",
        "a pipeline can't go on with a chord: the first task of a fan or diamond starts the chord",
        "no graphs: the scientific workflows run depth by depth, one chord each",
    )

    def worker_commands(self, processes: int) -> list[list[str]]:
        one = [command("huey_consumer"), f"{__name__}.huey", "-k", "thread", "-w", str(THREADS), "--quiet"]
        return [one] * processes

    def hello(self) -> None:
        hello()

    def chain(self, length: int) -> None:
        pipeline(link.s(0), *[link.s() for _ in range(length - 2)], end.s())

    def hop(self, seconds: float) -> None:
        pipeline(nap.s(seconds), wake.s())

    def payload(self, length: int, data: str) -> None:
        pipeline(turn.s(data), *[turn.s() for _ in range(length - 2)], turn_last.s())

    def fan(self, width: int) -> None:
        source(width)

    def diamonds(self, numbers: range) -> None:
        for number in numbers:
            first(number)

    def science(self, shape: shapes.Shape) -> None:
        run_level(shape, 0)

    def backlog(self, width: int) -> None:
        huey.enqueue(group([part.s(steps.BASE, number) for number in range(width)]).then(total))


system = Huey()
