"""dramatiq-workflow: chains and groups, nested. Steps get no results: they store and read them themselves."""

from __future__ import annotations

from uuid import uuid4

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.rate_limits.backends import RedisBackend
from dramatiq_workflow import Chain, Group, Workflow, WorkflowMiddleware

from .. import probe, steps
from ..shapes import Shape
from ..workloads import THREADS
from . import System, command

broker = RedisBroker(url=probe.url())
broker.add_middleware(WorkflowMiddleware(RedisBackend(url=probe.url())))
dramatiq.set_broker(broker)

#: Where the steps of a chain keep the value that they hand on.
VALUE = "value"


@dramatiq.actor
def hello() -> None:
    probe.ready()


@dramatiq.actor
def link(run: str) -> None:
    probe.save(run, VALUE, steps.link(probe.load(run, VALUE)))


@dramatiq.actor
def end(run: str) -> None:
    probe.tell(steps.link(probe.load(run, VALUE)))


@dramatiq.actor
def nap(run: str, seconds: float) -> None:
    probe.save(run, VALUE, steps.nap(seconds))


@dramatiq.actor
def wake(run: str) -> None:
    probe.tell(steps.since(probe.load(run, VALUE)))


@dramatiq.actor
def turn(run: str) -> None:
    probe.save(run, VALUE, steps.turn(probe.load(run, VALUE)))


@dramatiq.actor
def turn_last(run: str) -> None:
    probe.tell(steps.digest(steps.turn(probe.load(run, VALUE))))


@dramatiq.actor
def source(run: str) -> None:
    probe.save(f"{run}:source", VALUE, steps.BASE)


@dramatiq.actor
def part(run: str, number: int) -> None:
    probe.save(run, str(number), steps.part(probe.load(f"{run}:source", VALUE), number))


@dramatiq.actor
def total(run: str) -> None:
    probe.tell(sum(probe.load_all(run)))


@dramatiq.actor
def first(run: str, number: int) -> None:
    probe.save(f"{run}:source", VALUE, number)


@dramatiq.actor
def left(run: str) -> None:
    probe.save(run, "left", steps.left(probe.load(f"{run}:source", VALUE)))


@dramatiq.actor
def right(run: str) -> None:
    probe.save(run, "right", steps.right(probe.load(f"{run}:source", VALUE)))


@dramatiq.actor
def visit(step: str, count: int) -> None:
    probe.visit(step, count)


class DramatiqWorkflow(System):
    packages = ("dramatiq-workflow", "dramatiq", "redis", "hiredis")
    notes = (
        "stock RedisBroker, default settings, the command `dramatiq --threads 8`",
        "passes no results on: its steps store and read them in Redis, as its documentation advises",
        "no graphs: the scientific workflows run as a chain of groups, depth by depth",
        "its bytes a pending step: the whole workflow lies in the first step's message",
    )

    def worker_commands(self, processes: int) -> list[list[str]]:
        options = ["--processes", str(processes), "--threads", str(THREADS)]
        return [[command("dramatiq"), __name__, *options]]

    def hello(self) -> None:
        hello.send()

    def chain(self, length: int) -> None:
        run = uuid4().hex
        probe.save(run, VALUE, 0)
        Workflow(Chain(*[link.message(run) for _ in range(length - 1)], end.message(run))).run()

    def hop(self, seconds: float) -> None:
        run = uuid4().hex
        Workflow(Chain(nap.message(run, seconds), wake.message(run))).run()

    def payload(self, length: int, data: str) -> None:
        run = uuid4().hex
        probe.save(run, VALUE, data)
        Workflow(Chain(*[turn.message(run) for _ in range(length - 1)], turn_last.message(run))).run()

    def fan(self, width: int) -> None:
        run = uuid4().hex
        parts = Group(*[part.message(run, number) for number in range(width)])
        Workflow(Chain(source.message(run), parts, total.message(run))).run()

    def diamonds(self, numbers: range) -> None:
        for number in numbers:
            run = uuid4().hex
            both = Group(left.message(run), right.message(run))
            Workflow(Chain(first.message(run, number), both, total.message(run))).run()

    def science(self, shape: Shape) -> None:
        groups = [Group(*[visit.message(step, len(shape)) for step in level]) for level in shape.levels]
        Workflow(Chain(*groups)).run()

    def backlog(self, width: int) -> None:
        self.fan(width)


system = DramatiqWorkflow()
