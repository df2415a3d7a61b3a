"""The picture behind the live view of one workflow.

It starts from a snapshot and is brought up to date by events. An event costs the same whatever the size of
the workflow; what a view needs to show (counts, who is running, who failed) is kept ready, not computed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..events import Event, EventType
from ..states import StepState, StepStatus, WorkflowStatus
from .depths import depths_of
from .progress import RETRIED, STATE_AFTER, ActorTally, Run, Tally, is_news, since_of


@dataclass(slots=True, eq=False)
class Row:
    """One step on the board. Times are in milliseconds since 1970."""

    name: str
    actor: str
    tallies: tuple[Tally, ...]
    deps: tuple[str, ...] = ()
    depth: int | None = None  #: ``None`` for a step that the snapshot didn't hold
    state: StepState = StepState.PENDING
    since: int = 0  #: when it got into its state, as far as that is known
    attempt: int = 0
    reason: str = ""
    started_at: int | None = None  #: when its latest attempt began
    finished_at: int | None = None
    duration: int | None = None  #: how long its latest attempt took, once that has ended
    again_at: int | None = None  #: when it runs again, if that is known
    cached: bool = False  #: whether its result was there already
    waiting: int = 0  #: how many of its deps haven't settled
    let_down: bool = False  #: whether one of its deps settled otherwise than by completing

    def elapsed(self, now_ms: int) -> int | None:
        """How long the latest attempt took, or has been taking, in milliseconds."""
        if self.state is StepState.EXECUTING:
            return None if self.started_at is None else max(now_ms - self.started_at, 0)
        return self.duration


class Board(Run):
    """One workflow: every step's state, and the sums that a view shows.

    Parameters:
      status: The workflow as it was when the board was set up.

    Attributes:
      rows: The steps by depth, within a depth in the order in which they were added.
      steps: The same by name.
      in_state: For each state the steps in it, the one that has been in it longest first.
      by_depth: The tally of each actor at each depth, in that order.
      by_actor: The tally of each actor.
      depths: The number of depths.
    """

    def __init__(self, status: WorkflowStatus) -> None:
        super().__init__(status.id, status.name, status.state, status.started_at, status.finished_at)
        self.cost = status.cost
        self.rows: list[Row] = []
        self.steps: dict[str, Row] = {}
        self.in_state: dict[StepState, dict[str, Row]] = {state: {} for state in StepState}
        self.by_depth: dict[tuple[int | None, str], ActorTally] = {}
        self.by_actor: dict[str, ActorTally] = {}
        self._dependents: dict[str, list[Row]] = defaultdict(list)

        depths = depths_of({name: step.deps for name, step in status.steps.items()})
        self.depths = max(depths.values(), default=-1) + 1
        for name, step in sorted(status.steps.items(), key=lambda item: depths[item[0]]):
            self._place(_row_of(step), step.actor, depths[name])
        for row in self.rows:
            for dep in row.deps:
                self._dependents[dep].append(row)
        for row in sorted(self.rows, key=lambda row: row.since):
            self.in_state[row.state][row.name] = row
            self.as_of = row.since
        self._count_deps()

    def apply(self, event: Event) -> bool:
        """Bring the board up to date; whether that changed anything.

        The cost is constant, but for a step that settles: its dependents learn of it, each dep once.
        """
        if event.workflow_id != self.id:
            return False
        self._pay(event)
        if event.event is EventType.WORKFLOW_STARTED:
            return self._start(event)
        if event.event is EventType.WORKFLOW_FINISHED:
            return self._end(event)
        row = self.steps.get(event.step)
        if row is None:
            row = Row(event.step, event.actor, ())
            self._place(row, event.actor, None)
            self.in_state[row.state][row.name] = row
        elif not is_news(row.state, row.since, row.attempt, event):
            return False
        self._tell(row, event)
        return True

    def _tell(self, row: Row, event: Event) -> None:
        state = STATE_AFTER[event.event]
        row.since = event.ts
        row.attempt = max(event.attempt, row.attempt)
        row.reason = _why(event)
        row.duration = event.duration
        row.cached = event.cached
        row.again_at = None if event.delay is None else event.ts + event.delay
        if state is StepState.EXECUTING:
            row.started_at = event.ts
        elif state.settled:
            row.finished_at = event.ts
            if row.duration is None and row.state is StepState.EXECUTING and row.started_at is not None:
                row.duration = event.ts - row.started_at
        self._move(row, state)
        if state.settled:
            self._release(row)

    def _start(self, event: Event) -> bool:
        if not self._begin(event):
            return False
        again = [row for state in RETRIED for row in self.in_state[state].values() if row.since < event.ts]
        for row in again:
            row.since = event.ts
            row.reason = ""
            row.started_at = row.finished_at = row.duration = None
            self._move(row, StepState.PENDING)
        if again:
            self._count_deps()
        return True

    def _place(self, row: Row, actor: str, depth: int | None) -> None:
        at_depth = self.by_depth.get((depth, actor))
        if at_depth is None:
            at_depth = self.by_depth[depth, actor] = ActorTally(actor=actor, depth=depth)
        of_actor = self.by_actor.get(actor)
        if of_actor is None:
            of_actor = self.by_actor[actor] = ActorTally(actor=actor)
        row.depth = depth
        row.tallies = (self.tally, of_actor, at_depth)
        for tally in row.tallies:
            tally.add(row.state)
        self.rows.append(row)
        self.steps[row.name] = row

    def _move(self, row: Row, state: StepState) -> None:
        for tally in row.tallies:
            tally.move(row.state, state)
        # Taken out even if it stays in its state: the order in there is by the latest change.
        del self.in_state[row.state][row.name]
        self.in_state[state][row.name] = row
        row.state = state

    def _release(self, settled: Row) -> None:
        for row in self._dependents.get(settled.name, ()):
            row.waiting -= 1
            row.let_down |= settled.state is not StepState.COMPLETED
            self._queue_if_ready(row)

    def _count_deps(self) -> None:
        for row in self.rows:
            deps = [self.steps[dep].state for dep in row.deps if dep in self.steps]
            row.waiting = sum(not state.settled for state in deps)
            row.let_down = any(state.settled and state is not StepState.COMPLETED for state in deps)
            self._queue_if_ready(row)

    def _queue_if_ready(self, row: Row) -> None:
        # No event tells that a step was queued: it follows from the last of its deps. Of a step with a failed
        # dep that doesn't follow, because a status doesn't say whether the step ignores that.
        if row.state is StepState.PENDING and row.waiting == 0 and not row.let_down and row.depth is not None:
            self._move(row, StepState.QUEUED)


def _row_of(step: StepStatus) -> Row:
    row = Row(
        step.name,
        step.actor,
        (),
        deps=step.deps,
        state=step.state,
        since=since_of(step),
        attempt=step.attempt,
        reason=step.reason,
        started_at=step.started_at,
        finished_at=step.finished_at,
    )
    if step.finished_at is not None and step.started_at is not None:
        row.duration = max(step.finished_at - step.started_at, 0)
    return row


def _why(event: Event) -> str:
    if event.reason and event.error and event.error not in event.reason:
        return f"{event.reason}: {event.error}"
    return event.reason or event.error
