"""One run of a workflow with a fault in the process that submits it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from dramatiq_baton import WorkflowNotFound, get_run
from tests.support.forks import Zygote

from .faults import FaultAt, Moment, Point
from .harness import Fault, Outcome, Stage, check, world_of
from .scenarios import SCENARIOS, told_key


@dataclass(frozen=True)
class SubmitterCrash:
    """What is to happen.

    Attributes:
      zygote: Parent of the processes.
      url: The server.
      scenario: The name of the workflow.
      fault: What happens at a command.
      moment: When, seen from that command.
    """

    zygote: Zygote
    url: str
    scenario: str
    fault: Fault
    moment: Moment

    def __call__(self, point: Point | None = None) -> Outcome:
        """Run it with the fault at ``point``, or without one."""
        outcome = Outcome(point)
        with world_of(self.url) as world, closing(Stage(self.zygote, world)) as stage:
            fault = FaultAt(self.url, point, self.moment)
            with closing(fault):
                self._submit(stage, fault, outcome)
            outcome.struck, outcome.seen = fault.struck, fault.seen
            self._look(stage, outcome)
            if outcome.wrong:
                outcome.logs.append(stage.logs())
        return outcome

    def _submit(self, stage: Stage, fault: FaultAt, outcome: Outcome) -> None:
        submitter = stage.start_program(
            "tests.crash.scenarios:submit", self.scenario, "crashed", behind=fault, fault=self.fault
        )
        submitter.wait()
        told = stage.world.redis.lrange(told_key(stage.world.actors), 0, -1)
        killed = self.fault is Fault.KILL and fault.struck
        allowed = (["created"], ["no answer", "created"], ["no answer", "exists"])
        if not (told in allowed or (killed and told == [])):
            outcome.wrong.append(f"submitting ended with {told}")

    def _look(self, stage: Stage, outcome: Outcome) -> None:
        try:
            run = get_run("crashed", broker=stage.world.broker)
        except WorkflowNotFound:
            self._look_for_nothing(stage, outcome)
            return
        stage.start_worker(threads=2)
        if stage.finish(run, outcome):
            stage.redeliver()
            check(stage, SCENARIOS[self.scenario], run, outcome, deaths=0)

    def _look_for_nothing(self, stage: Stage, outcome: Outcome) -> None:
        """There is no workflow: then nothing of it may run, and what there is of it must expire."""
        world = stage.world
        stage.redeliver()
        outcome.wrong += world.left_behind()
        outcome.wrong += [f"{key} is left" for key in world.keys("index:*") if not key.endswith(":rescue")]
        outcome.wrong += [f"{note} though nothing was submitted" for note in world.notes("crashed")]
