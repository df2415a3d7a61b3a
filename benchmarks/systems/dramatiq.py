"""Plain Dramatiq: pipelines, and groups with completion callbacks."""

from __future__ import annotations

from uuid import uuid4

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend

from .. import probe, shapes, steps
from ..workloads import THREADS
from . import System, command

broker = RedisBroker(url=probe.url())
broker.add_middleware(GroupCallbacks(RedisBackend(url=probe.url())))
dramatiq.set_broker(broker)


@dramatiq.actor
def hello() -> None:
    probe.ready()


@dramatiq.actor
def link(value: int) -> int:
    return steps.link(value)


@dramatiq.actor
def end(value: int) -> None:
    probe.tell(steps.link(value))


@dramatiq.actor
def nap(seconds: float) -> float:
    return steps.nap(seconds)


@dramatiq.actor
def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


@dramatiq.actor
def turn(data: str) -> str:
    return steps.turn(data)


@dramatiq.actor
def turn_last(data: str) -> None:
    probe.tell(steps.digest(steps.turn(data)))


# A group passes no results on to its callback: the steps store them, and the last one reads them.


@dramatiq.actor
def source(run: str, width: int) -> None:
    parts = [part.message(run, steps.BASE, number) for number in range(width)]
    run_group(parts, total.message(run))


@dramatiq.actor
def part(run: str, base: int, number: int) -> None:
    probe.save(run, str(number), steps.part(base, number))


@dramatiq.actor
def total(run: str) -> None:
    probe.tell(sum(probe.load_all(run)))


@dramatiq.actor
def first(number: int) -> None:
    run = uuid4().hex
    run_group([left.message(run, number), right.message(run, number)], total.message(run))


@dramatiq.actor
def left(run: str, value: int) -> None:
    probe.save(run, "left", steps.left(value))


@dramatiq.actor
def right(run: str, value: int) -> None:
    probe.save(run, "right", steps.right(value))


@dramatiq.actor
def visit(step: str, count: int) -> None:
    probe.visit(step, count)


@dramatiq.actor
def level(name: str, depth: int) -> None:
    run_level(shapes.science(name), depth)


def run_level(shape: shapes.Shape, depth: int) -> None:
    """Run the steps of a depth beside each other, and then those of the next."""
    levels = shape.levels
    if depth < len(levels):
        messages = [visit.message(step, len(shape)) for step in levels[depth]]
        run_group(messages, level.message(shape.name, depth + 1))


def run_group(messages: list[dramatiq.Message], callback: dramatiq.Message) -> None:
    group = dramatiq.group(messages)
    group.add_completion_callback(callback)
    group.run()


class Dramatiq(System):
    packages = ("dramatiq", "redis", "hiredis")
    notes = (
        "stock RedisBroker, default settings, the command `dramatiq --threads 8`",
        "a group passes no results on: its steps store them in Redis (one HSET each), the last one reads them",
        "no graphs: the scientific workflows run depth by depth, one group each",
    )

    def worker_commands(self, processes: int) -> list[list[str]]:
        options = ["--processes", str(processes), "--threads", str(THREADS)]
        return [[command("dramatiq"), __name__, *options]]

    def hello(self) -> None:
        hello.send()

    def chain(self, length: int) -> None:
        middle = [link.message() for _ in range(length - 2)]
        dramatiq.pipeline([link.message(0), *middle, end.message()]).run()

    def hop(self, seconds: float) -> None:
        dramatiq.pipeline([nap.message(seconds), wake.message()]).run()

    def payload(self, length: int, data: str) -> None:
        middle = [turn.message() for _ in range(length - 2)]
        dramatiq.pipeline([turn.message(data), *middle, turn_last.message()]).run()

    def fan(self, width: int) -> None:
        source.send(uuid4().hex, width)

    def diamonds(self, numbers: range) -> None:
        for number in numbers:
            first.send(number)

    def science(self, shape: shapes.Shape) -> None:
        run_level(shape, 0)

    def backlog(self, width: int) -> None:
        run = uuid4().hex
        run_group([part.message(run, steps.BASE, number) for number in range(width)], total.message(run))


system = Dramatiq()
