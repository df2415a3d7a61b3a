"""dramatiq-baton: with its own ``RedisBroker``, all else as it comes."""

from __future__ import annotations

from pathlib import Path

import dramatiq

import dramatiq_baton
from dramatiq_baton import BatonMiddleware, Workflow, WorkflowRun, WorkflowState, workflow_actor
from dramatiq_baton.brokers import RedisBroker

from .. import probe, steps
from ..shapes import Shape
from ..workloads import LONG_PATIENCE, THREADS
from . import System, command

broker = RedisBroker(url=probe.url())
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)


@dramatiq.actor
def hello() -> None:
    probe.ready()


@workflow_actor
def link(value: int) -> int:
    return steps.link(value)


@workflow_actor
def end(value: int) -> int:
    probe.tell(found := steps.link(value))
    return found


@workflow_actor
def nap(seconds: float) -> float:
    return steps.nap(seconds)


@workflow_actor
def wake(ended: float) -> None:
    probe.tell(steps.since(ended))


@workflow_actor
def turn(data: str) -> str:
    return steps.turn(data)


@workflow_actor
def turn_last(data: str) -> str:
    found = steps.turn(data)
    probe.tell(steps.digest(found))
    return found


@workflow_actor
def source() -> int:
    return steps.BASE


@workflow_actor
def part(base: int, number: int) -> int:
    return steps.part(base, number)


@workflow_actor
def total(values: list[int]) -> int:
    probe.tell(found := sum(values))
    return found


@workflow_actor
def first(number: int) -> int:
    return number


@workflow_actor
def left(value: int) -> int:
    return steps.left(value)


@workflow_actor
def right(value: int) -> int:
    return steps.right(value)


@workflow_actor
def visit(step: str, count: int) -> None:
    probe.visit(step, count)


@workflow_actor
def nothing() -> None: ...


class Baton(System):
    packages = ("dramatiq-baton", "dramatiq", "redis", "hiredis")
    notes = ("its own RedisBroker, default settings, the command `dramatiq --threads 8`",)

    def __init__(self) -> None:
        self._runs: list[WorkflowRun] = []

    def worker_commands(self, processes: int) -> list[list[str]]:
        options = ["--processes", str(processes), "--threads", str(THREADS)]
        return [[command("dramatiq"), __name__, *options]]

    def hello(self) -> None:
        hello.send()

    def chain(self, length: int) -> None:
        flow = Workflow("chain")
        value = flow.add("0", link.message(0))
        for number in range(1, length - 1):
            value = flow.add(str(number), link.message(value))
        flow.add("end", end.message(value))
        self._run(flow)

    def hop(self, seconds: float) -> None:
        flow = Workflow("hop")
        flow.add("wake", wake.message(flow.add("nap", nap.message(seconds))))
        self._run(flow)

    def payload(self, length: int, data: str) -> None:
        flow = Workflow("payload")
        value = flow.add("0", turn.message(data))
        for number in range(1, length - 1):
            value = flow.add(str(number), turn.message(value))
        flow.add("end", turn_last.message(value))
        self._run(flow)

    def fan(self, width: int) -> None:
        self._run(self._fan(width))

    def diamonds(self, numbers: range) -> None:
        for number in numbers:
            flow = Workflow("diamond")
            value = flow.add("first", first.message(number))
            both = [flow.add("left", left.message(value)), flow.add("right", right.message(value))]
            flow.add("total", total.message(both))
            self._run(flow)

    def science(self, shape: Shape) -> None:
        flow = Workflow(shape.name)
        for step, parents in shape.parents.items():
            flow.add(step, visit.message(step, len(shape)), deps=parents)
        self._run(flow)

    def backlog(self, width: int) -> None:
        self._fan(width).run()

    def script_name(self, text: str) -> str:
        """The file that it stands in: what scripts share stands in front of what is their own."""
        files = Path(dramatiq_baton.__file__).parent.rglob("*.lua")
        place, name = max((text.rfind(path.read_text("utf-8").strip()), path.name) for path in files)
        return name if place >= 0 else "of an unknown file"

    def confirm(self) -> None:
        """Wait until all of them count as completed: the last step tells before its result is stored."""
        for run in self._runs:
            status = run.wait(timeout=LONG_PATIENCE * 1000)
            if status.state is not WorkflowState.COMPLETED:
                raise steps.WrongResult(f"{run!r} is {status.state}: {status.failed_steps}")
        self._runs.clear()

    def graph(self, shape: Shape) -> Workflow:
        """A graph whose steps do nothing, to be submitted by who measures that."""
        flow = Workflow(shape.name)
        for step, parents in shape.parents.items():
            flow.add(step, nothing.message(), deps=parents)
        return flow

    def blocked(self, seconds: float, width: int) -> None:
        """A step that takes a while, and so many that wait for it."""
        flow = Workflow("blocked")
        flow.add("nap", nap.message(seconds))
        for number in range(width):
            flow.add(str(number), nothing.message(), deps="nap")
        self._run(flow)

    def _fan(self, width: int) -> Workflow:
        flow = Workflow("fan")
        base = flow.add("source", source.message())
        flow.add(
            "total",
            total.message([flow.add(str(number), part.message(base, number)) for number in range(width)]),
        )
        return flow

    def _run(self, flow: Workflow) -> None:
        self._runs.append(flow.run())


system = Baton()
