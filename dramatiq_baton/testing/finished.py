"""What a test gets of a workflow, whose data is gone by then."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import ResultMissing, UnknownStep
from ..events import Event
from ..run import WorkflowRun
from ..states import WorkflowStatus
from ..usage import UsageReport


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedWorkflow(WorkflowStatus):
    """A workflow as it ended.

    Attributes:
      results: The results of all steps that have one, by name, in the order in which they were added.
      events: All its events, in order.
      usage: What its calls to providers used and cost.
    """

    results: dict[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    usage: UsageReport

    @classmethod
    def of(cls, run: WorkflowRun) -> FinishedWorkflow:
        """Read all that is known of a workflow."""
        status, results = run.status(), run.results()
        return cls(
            **{each.name: getattr(status, each.name) for each in fields(WorkflowStatus)},
            results={name: results[name] for name in status.steps if name in results},
            events=tuple(run.events()),
            usage=run.usage(),
        )

    def result(self, step: Any) -> Any:
        """The result of a step.

        Parameters:
          step: Its name, or what ``add()`` returned for it.

        Raises:
          UnknownStep: If there is no such step.
          ResultMissing: If it hasn't completed; says in what state it is.
        """
        name = getattr(step, "name", step)
        if name not in self.steps:
            raise UnknownStep(f"workflow {self.name!r} has no step {name!r:.80}")
        if name not in self.results:
            found = self.steps[name]
            why = f": {found.reason}" if found.reason else ""
            raise ResultMissing(
                f"step {name!r} of workflow {self.name!r} has no result; it is {found.state}{why}"
            )
        return self.results[name]
