"""One run of a workflow with a fault in a worker, or in the process that submits it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field

from dramatiq_baton import WorkflowRun
from tests.support.forks import Forked, Zygote
from tests.support.world import World, default_broker

from .faults import FaultAt, Moment, Point
from .harness import (
    Fault,
    Outcome,
    Stage,
    check,
    world_of,
)
from .scenarios import Scenario


def until_finished(stage: Stage, run: WorkflowRun, worker: Forked) -> None:
    """Wait until the workflow has finished, or the fault has happened."""
    stage.wait_until(run, event="workflow_finished")


@dataclass(frozen=True)
class Crash:
    """What is to happen.

    Attributes:
      zygote: Parent of the processes.
      url: The server.
      scenario: The workflow.
      fault: What happens at a command.
      moment: When, seen from that command.
      before: Done once the workflow is submitted, before the worker behind the proxy is started; by default
        the worker is there first.
      meanwhile: Done while it is at work.
      deaths: How many workers have died before it.
      env: More environment variables for the workers.
    """

    zygote: Zygote
    url: str
    scenario: Scenario
    fault: Fault
    moment: Moment
    before: Callable[[Stage, WorkflowRun], None] | None = None
    meanwhile: Callable[[Stage, WorkflowRun, Forked], None] = until_finished
    deaths: int = 0
    env: dict[str, str] = field(default_factory=dict)

    @property
    def fast(self) -> bool:
        """Whether the broker is the one with a fast path."""
        return default_broker(self.url) == "fast"

    def __call__(self, point: Point | None = None) -> Outcome:
        """Run it with the fault at ``point``, or without one."""
        outcome = Outcome(point)
        with self._world() as world, closing(Stage(self.zygote, world)) as stage:
            outcome.namespace = world.namespace
            fault = self._fault_at(point, world)
            with closing(fault):
                self._run(stage, fault, outcome)
            outcome.struck, outcome.seen = fault.struck, fault.seen
            if outcome.wrong:
                outcome.logs.append(stage.logs())
        return outcome

    def _world(self) -> AbstractContextManager[World]:
        return world_of(self.url, **self.env)

    def _fault_at(self, point: Point | None, world: World) -> FaultAt:
        return FaultAt(self.url, point, self.moment)

    def _run(self, stage: Stage, fault: FaultAt, outcome: Outcome) -> None:
        run = None
        if self.before is not None:
            run = self.scenario.submit(stage.world.actors, "crashed")
            self.before(stage, run)
        # One thread, so that one actor at most runs when the worker dies. After a cut a second one goes on:
        # Dramatiq lets a thread that can't acknowledge a message rest for 5 s.
        threads = 1 if self.fault is Fault.KILL else 2
        worker = stage.start_worker(behind=fault, fault=self.fault, threads=threads)
        run = run or self.scenario.submit(stage.world.actors, "crashed")
        self.meanwhile(stage, run, worker)
        if self.fault is Fault.KILL and fault.struck:
            worker.wait()
        if not worker.alive:
            worker = stage.start_worker(threads=2)
        if not stage.finish(run, outcome):
            return
        worker.stop()
        stage.redeliver()
        killed = self.fault is Fault.KILL and fault.struck
        check(stage, self.scenario, run, outcome, deaths=self.deaths + killed)
