"""One run of a workflow with a fault in the process of an operator: one that cancels, retries or prunes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import dramatiq
import redis
from dramatiq.common import dq_name

from dramatiq_baton import Event, StoreUnavailable, WorkflowRun, WorkflowRunning, get_run
from dramatiq_baton.store import steering
from dramatiq_baton.store.store import Store
from tests.support.forks import Zygote

from .faults import FaultAt, Moment, Point
from .harness import LEASE_TTL, Fault, Outcome, Stage, world_of
from .scenarios import tell, told_key

REASON = "an operator said so"
#: Later than any test ends, in ms since 1970.
AT_ANY_TIME = 1 << 42

Program = Callable[[ModuleType, str], None]


# What runs in the operator's process -----------------------------------------------------------


def cancel(actors: ModuleType, workflow_id: str) -> None:
    carefully(actors, lambda: get_run(workflow_id, broker=actors.broker).cancel(REASON))


def retry(actors: ModuleType, workflow_id: str) -> None:
    carefully(actors, lambda: get_run(workflow_id, broker=actors.broker).retry())


def retry_without_code(actors: ModuleType, workflow_id: str) -> None:
    """Retry as the command line does, which has neither the actors nor their broker."""
    with closing(redis.Redis.from_url(os.environ["BATON_TEST_STATE_URL"])) as client:
        store = Store(client, namespace=actors.NAMESPACE, lease_ttl=LEASE_TTL)
        carefully(actors, lambda: steering.begin_retry(store, workflow_id))


def prune(actors: ModuleType, workflow_id: str) -> None:
    with closing(redis.Redis.from_url(os.environ["BATON_TEST_STATE_URL"])) as client:
        store = Store(client, namespace=actors.NAMESPACE)
        carefully(actors, lambda: steering.prune(store, workflow_id, finished_before=AT_ANY_TIME))


def carefully(actors: ModuleType, operate: Callable[[], object]) -> None:
    """Do something as a careful program does: again if there was no answer."""
    while True:
        try:
            operate()
        except StoreUnavailable:
            tell(actors, "no answer")
            continue
        except WorkflowRunning:
            pass  # it was retried when there was no answer
        except Exception as error:
            tell(actors, repr(error))
            raise
        tell(actors, "done")
        return


# The test's side -------------------------------------------------------------------------------


class Operation(Protocol):
    """What an operator does to a workflow."""

    @property
    def program(self) -> Program:
        """What the operator's process runs."""

    @property
    def first(self) -> str:
        """The name of the script with which it begins."""

    def prepare(self, stage: Stage) -> WorkflowRun:
        """Bring a workflow named ``crashed`` to the point where an operator comes in."""

    def has_begun(self, stage: Stage, run: WorkflowRun) -> bool:
        """Whether the server has heard of it."""

    def operate(self, stage: Stage, run: WorkflowRun) -> None:
        """Do what the operator was to do."""

    def look(self, stage: Stage, run: WorkflowRun, outcome: Outcome) -> None:
        """Wait until everything is over, and look for what is wrong."""


@dataclass(frozen=True)
class OperatorCrash:
    """What is to happen.

    Attributes:
      zygote: Parent of the processes.
      url: The server.
      operation: What the operator does, and to which workflow.
      fault: What happens at a command of it.
      moment: When, seen from that command.
    """

    zygote: Zygote
    url: str
    operation: Operation
    fault: Fault
    moment: Moment

    def __call__(self, point: Point | None = None) -> Outcome:
        """Run it with the fault at ``point``, or without one."""
        outcome = Outcome(point)
        with world_of(self.url) as world, closing(Stage(self.zygote, world)) as stage:
            run = self.operation.prepare(stage)
            fault = FaultAt(self.url, point, self.moment)
            with closing(fault):
                self._operate(stage, fault, outcome)
            if not self.operation.has_begun(stage, run):
                self._begin_anew(stage, run, outcome)
            self.operation.look(stage, run, outcome)
            if outcome.wrong:
                outcome.logs.append(stage.logs())
        return outcome

    def _operate(self, stage: Stage, fault: FaultAt, outcome: Outcome) -> None:
        program = self.operation.program
        function = f"{program.__module__}:{program.__name__}"
        operator = stage.start_program(function, "crashed", behind=fault, fault=self.fault)
        operator.wait()
        outcome.struck, outcome.seen = fault.struck, fault.seen
        told = stage.world.redis.lrange(told_key(stage.world.actors), 0, -1)
        killed = self.fault is Fault.KILL and fault.struck
        allowed = [["done"]]
        if fault.struck:
            allowed = [[]] if killed else [["no answer", "done"], ["done"]]  # not sending a step is no matter
        if told not in allowed:
            outcome.wrong.append(f"the operator ended with {told}")

    def _begin_anew(self, stage: Stage, run: WorkflowRun, outcome: Outcome) -> None:
        """The server never heard of it. That may only be if the operator died in time; then the next one does it."""
        killed = self.fault is Fault.KILL and outcome.struck
        if not killed or {kind for kind, _ in outcome.seen} != {self.operation.first}:
            outcome.wrong.append("the operator did it, and nothing has begun")
        self.operation.operate(stage, run)
        if not self.operation.has_begun(stage, run):
            outcome.wrong.append("another operator did it, and nothing has begun")


def deliver_what_is_left(stage: Stage) -> None:
    """Stop the workers, once they have answered, and deliver all that is still in the broker, whenever it was due."""
    world = stage.world
    for process in stage.processes:
        if process.alive:
            process.stop()
    queue, delayed = world.actors.QUEUE, dq_name(world.actors.QUEUE)
    for data in world.redis.hvals(f"{world.namespace}:broker:{delayed}.msgs"):
        message: dramatiq.Message[object] = dramatiq.Message.decode(data.encode())
        message.options.pop("eta")
        world.broker.enqueue(message.copy(queue_name=queue))
    world.actors.broker.do_purge(delayed)
    stage.redeliver()


def runs_of(events: list[Event]) -> list[list[Event]]:
    """The events of each of its runs."""
    starts = [place for place, event in enumerate(events) if event.event == "workflow_started"]
    return [events[start:end] for start, end in zip(starts, [*starts[1:], len(events)], strict=True)]
