"""The states of steps and workflows, and the frozen picture of a workflow that callers get."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class StepState(StrEnum):
    """The states of a step. The last three are settled: they never change again."""

    PENDING = "pending"  #: some deps haven't settled; nothing of the step is on any queue
    QUEUED = "queued"  #: sent, or about to be sent, to its actor's queue
    EXECUTING = "executing"  #: a worker holds its lease
    SNOOZED = "snoozed"  #: runs again after a delay, no retry consumed
    RETRYABLE = "retryable"  #: failed, runs again after Dramatiq's backoff
    COMPLETED = "completed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        """Whether the step is done for good."""
        return self in (StepState.COMPLETED, StepState.DISCARDED, StepState.CANCELLED)


class WorkflowState(StrEnum):
    """The states of a workflow."""

    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"  #: all steps settled, at least one was discarded
    CANCELLED = "cancelled"  #: it was cancelled as a whole, or some steps were and none was discarded

    @property
    def finished(self) -> bool:
        """Whether all steps have settled."""
        return self is not WorkflowState.EXECUTING


@dataclass(frozen=True, slots=True)
class StepStatus:
    """One step as it is now.

    Attributes:
      name: The step's name, unique in its workflow.
      state: See :class:`StepState`.
      actor: The name of the actor that runs it.
      queue: The queue that it is sent to.
      attempt: How often it was started; 0 before the first time.
      deps: The names of the steps that must settle before it.
      reason: Why it is in that state, where there is something to say; else empty.
      started_at: When its latest attempt began, in milliseconds since 1970, or ``None``.
      finished_at: When it settled, in milliseconds since 1970, or ``None``.
    """

    name: str
    state: StepState
    actor: str
    queue: str
    attempt: int = 0
    deps: tuple[str, ...] = ()
    reason: str = ""
    started_at: int | None = None
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """A workflow as it is now.

    Attributes:
      id: The workflow's id.
      name: The workflow's name.
      state: See :class:`WorkflowState`.
      total: The number of steps.
      counts: The number of steps by state; states that no step is in are left out.
      steps: The steps by name, in the order in which they were added.
      created_at: When it was submitted, in milliseconds since 1970.
      finished_at: When its last step settled, in milliseconds since 1970, or ``None``.
      started_at: When its present run began, in milliseconds since 1970: a retry begins another one.
      cost: What its calls to providers have cost so far, in US dollars, as far as their prices are known; ``None`` if
        none has been recorded that has one.
    """

    id: str
    name: str
    state: WorkflowState
    total: int
    counts: dict[StepState, int] = field(default_factory=dict)
    steps: dict[str, StepStatus] = field(default_factory=dict)
    created_at: int = 0
    finished_at: int | None = None
    started_at: int = 0
    cost: Decimal | None = None

    @property
    def failed_steps(self) -> tuple[str, ...]:
        """The names of the discarded steps, in the order in which they were added."""
        return tuple(name for name, step in self.steps.items() if step.state is StepState.DISCARDED)
