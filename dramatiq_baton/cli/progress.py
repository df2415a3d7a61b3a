"""What one event changes: the state of a step, the counts of steps, the run of a workflow.

Snapshots and events come from Redis at different instants, so events may tell of what a snapshot already
holds. :func:`is_news` decides. Events must come in the order of their stream; then the picture ends up
right whether they begin before or after the snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from ..events import Event, EventType
from ..states import StepState, StepStatus, WorkflowState

#: The state that each event of a step leaves it in.
STATE_AFTER = {
    EventType.EXECUTING: StepState.EXECUTING,
    EventType.SNOOZED: StepState.SNOOZED,
    EventType.COMPLETED: StepState.COMPLETED,
    EventType.RETRYABLE: StepState.RETRYABLE,
    EventType.DISCARDED: StepState.DISCARDED,
    EventType.CANCELLED: StepState.CANCELLED,
}

#: The states that a retry of the workflow begins again from.
RETRIED = (StepState.DISCARDED, StepState.CANCELLED)


def is_news(state: StepState, ts: int, attempt: int, event: Event) -> bool:
    """Whether *event* tells more of a step than what is known: its *state* since *ts* at *attempt*."""
    if state.settled:
        return False
    if event.attempt > attempt:
        return True  # even if Redis's clock was set back, as it is when a replica takes over
    if event.attempt == attempt:
        return event.ts >= ts
    # Of an attempt that another one has overtaken, only a first result still counts.
    return event.event is EventType.COMPLETED and event.ts >= ts


def since_of(step: StepStatus) -> int:
    """When a step got into its state, as far as its status tells."""
    return max(step.started_at or 0, step.finished_at or 0)


@dataclass(slots=True)
class Tally:
    """How many steps are in which state."""

    total: int = 0
    counts: dict[StepState, int] = field(default_factory=lambda: dict.fromkeys(StepState, 0))

    @property
    def settled(self) -> int:
        """The number of steps that are done for good."""
        counts = self.counts
        return counts[StepState.COMPLETED] + counts[StepState.DISCARDED] + counts[StepState.CANCELLED]

    def add(self, state: StepState) -> None:
        """Count one more step."""
        self.total += 1
        self.counts[state] += 1

    def move(self, old: StepState, new: StepState) -> None:
        """Count a step that went from one state to another."""
        self.counts[old] -= 1
        self.counts[new] += 1


@dataclass(slots=True)
class ActorTally(Tally):
    """How many steps of one actor, at one depth or (``depth=None``) in all, are in which state."""

    actor: str = ""
    depth: int | None = None


@dataclass(slots=True, eq=False)
class Run:
    """What board and overview know of a workflow as a whole.

    Attributes:
      id: The workflow's id.
      name: The workflow's name.
      state: The workflow's state.
      started_at: When its present run began, in milliseconds since 1970; 0 if unknown.
      finished_at: When its last step settled, or ``None``.
      tally: Its steps by state.
      as_of: The latest time that the snapshot tells of.
      cost: What its calls to providers have cost, in US dollars; ``None`` if there are none with a price.
    """

    id: str
    name: str
    state: WorkflowState = WorkflowState.EXECUTING
    started_at: int = 0
    finished_at: int | None = None
    tally: Tally = field(default_factory=Tally)
    as_of: int = 0
    cost: Decimal | None = None

    @property
    def finished(self) -> bool:
        """Whether the workflow is through."""
        return self.state.finished

    def elapsed(self, now_ms: int) -> int:
        """How long the workflow has been running, or ran, in milliseconds."""
        end = now_ms if self.finished_at is None else self.finished_at
        return max(end - self.started_at, 0) if self.started_at else 0

    def _pay(self, event: Event) -> None:
        if event.cost is not None:  # what is spent only grows, so it doesn't matter which is the older news
            self.cost = max(event.cost, self.cost or event.cost)

    def _begin(self, event: Event) -> bool:
        if event.ts < self.started_at or (self.finished_at is not None and event.ts < self.finished_at):
            return False
        self.state = WorkflowState.EXECUTING
        self.started_at = event.ts
        self.finished_at = None
        return True

    def _end(self, event: Event) -> bool:
        # What is older than the snapshot ended an earlier run than the one that the snapshot shows.
        if event.ts < max(self.started_at, self.as_of) or self.finished_at is not None:
            return False
        try:
            self.state = WorkflowState(event.outcome)
        except ValueError:  # an outcome of a later version, perhaps; but through it is
            self.state = WorkflowState.FAILED
        self.finished_at = event.ts
        if not self.started_at and event.duration is not None:
            self.started_at = event.ts - event.duration
        return True
