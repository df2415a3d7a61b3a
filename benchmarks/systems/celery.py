"""Celery: canvas chains and chords on Redis, prefork workers."""

from __future__ import annotations

from celery import Celery, chain, chord, group

from .. import probe, shapes, steps
from ..workloads import THREADS
from . import System, command

app = Celery("benchmark", broker=probe.url(), backend=probe.url())
app.conf.update(
    worker_prefetch_multiplier=64,  # what its documentation advises for many short tasks
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


@app.task
def hello() -> None:
    probe.ready()


@app.task
def link(value: int) -> int:
    return steps.link(value)


@app.task
def end(value: int) -> int:
    probe.tell(found := steps.link(value))
    return found


@app.task
def nap(seconds: float) -> float:
    return steps.nap(seconds)


@app.task
def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


@app.task
def turn(data: str) -> str:
    return steps.turn(data)


@app.task
def turn_last(data: str) -> str:
    found = steps.turn(data)
    probe.tell(steps.digest(found))
    return found


@app.task
def source() -> int:
    return steps.BASE


@app.task
def part(base: int, number: int) -> int:
    return steps.part(base, number)


@app.task
def total(values: list[int]) -> int:
    probe.tell(found := sum(values))
    return found


@app.task
def first(number: int) -> int:
    return number


@app.task
def left(value: int) -> int:
    return steps.left(value)


@app.task
def right(value: int) -> int:
    return steps.right(value)


@app.task
def visit(step: str, count: int) -> None:
    probe.visit(step, count)


@app.task
def level(name: str, depth: int) -> None:
    run_level(shapes.science(name), depth)


def run_level(shape: shapes.Shape, depth: int) -> None:
    """Run the steps of a depth beside each other, and then those of the next.

    A chain of groups would say it in one expression, but Celery 5.7 runs each group from the third on several times.
    """
    levels = shape.levels
    if depth < len(levels):
        tasks = [visit.si(step, len(shape)) for step in levels[depth]]
        chord(tasks, level.si(shape.name, depth + 1)).apply_async()


class CeleryCanvas(System):
    packages = ("celery", "kombu", "redis", "hiredis")
    notes = (
        "prefork, Redis as broker and result backend, prefetch multiplier 64, no gossip, mingle, heartbeat",
        "`--concurrency 8` where others have 1 process of 8 threads, `--concurrency 2` where they have 2 processes",
        "no graphs: the scientific workflows run depth by depth, one chord each, as a chain of three or more groups"
        " runs the later ones several times",
        "its bytes a pending step: without the submitter's subscriptions to results",
    )

    def worker_commands(self, processes: int) -> list[list[str]]:
        children = THREADS if processes == 1 else processes
        options = ["--pool", "prefork", "--concurrency", str(children), "--loglevel", "ERROR"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return [[command("celery"), "-A", __name__, "worker", *options, *quiet]]

    def hello(self) -> None:
        hello.delay()

    def chain(self, length: int) -> None:
        chain(link.s(0), *[link.s() for _ in range(length - 2)], end.s()).apply_async()

    def hop(self, seconds: float) -> None:
        chain(nap.s(seconds), wake.s()).apply_async()

    def payload(self, length: int, data: str) -> None:
        chain(turn.s(data), *[turn.s() for _ in range(length - 2)], turn_last.s()).apply_async()

    def fan(self, width: int) -> None:
        parts = group(part.s(number) for number in range(width))
        chain(source.s(), chord(parts, total.s())).apply_async()

    def diamonds(self, numbers: range) -> None:
        for number in numbers:
            chain(first.s(number), chord([left.s(), right.s()], total.s())).apply_async()

    def science(self, shape: shapes.Shape) -> None:
        run_level(shape, 0)

    def backlog(self, width: int) -> None:
        chord([part.si(steps.BASE, number) for number in range(width)], total.s()).apply_async()
        app.backend.result_consumer.stop()


system = CeleryCanvas()
