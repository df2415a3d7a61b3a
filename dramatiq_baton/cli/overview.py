"""The picture behind the live view of many workflows.

It starts from snapshots, or from nothing, and is brought up to date by events, each at the same cost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..events import Event, EventType
from ..states import StepState, WorkflowStatus
from .progress import RETRIED, STATE_AFTER, Run, is_news, since_of


@dataclass(slots=True, eq=False)
class WorkflowRow(Run):
    """One workflow of the overview. Its steps of which nothing was heard yet count as pending.

    Attributes:
      last: The latest event, or ``None`` before the first.
    """

    last: Event | None = None
    # The pending steps that no event has named yet.
    unseen: int = 0
    # What is known of the steps that were heard of: state, since when, attempt. Emptied when the workflow is
    # through, so that a long list of finished workflows needs no memory for their steps.
    seen: dict[str, tuple[StepState, int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, status: WorkflowStatus) -> WorkflowRow:
        """The row of a workflow as its snapshot tells."""
        row = cls(status.id, status.name, status.state, status.started_at, status.finished_at)
        row.cost = status.cost
        row.tally.total = status.total
        for state, count in status.counts.items():
            row.tally.counts[StepState.PENDING if state is StepState.QUEUED else state] += count
        row.unseen = row.tally.counts[StepState.PENDING]
        if not status.state.finished:
            for name, step in status.steps.items():
                if step.state not in (StepState.PENDING, StepState.QUEUED):
                    row.seen[name] = (step.state, since_of(step), step.attempt)
        row.as_of = max((since for _, since, _ in row.seen.values()), default=0)
        return row

    def apply(self, event: Event) -> bool:
        """Bring the row up to date; whether the event was news."""
        self._pay(event)
        if event.event is EventType.WORKFLOW_STARTED:
            news = self._start(event)
        elif event.event is EventType.WORKFLOW_FINISHED:
            news = self._finish(event)
        else:
            news = self.finished_at is None and self._tell(event)
        if news:
            self.last = event
        return news

    def _tell(self, event: Event) -> bool:
        state = STATE_AFTER[event.event]
        known = self.seen.get(event.step)
        if known is not None:
            old, since, attempt = known
            if not is_news(old, since, attempt, event):
                return False
            self.tally.move(old, state)
        elif self.unseen:
            self.unseen -= 1
            self.tally.move(StepState.PENDING, state)
        else:
            self.tally.add(state)
        self.seen[event.step] = (state, event.ts, event.attempt)
        return True

    def _start(self, event: Event) -> bool:
        again = self.finished
        if not self._begin(event):
            return False
        if again:
            self._start_again()
        else:
            for name, (state, since, _) in list(self.seen.items()):
                if state in RETRIED and since < event.ts:
                    del self.seen[name]
                    self.tally.move(state, StepState.PENDING)
                    self.unseen += 1
        return True

    def _start_again(self) -> None:
        # The steps were forgotten when the workflow finished, but only the completed ones are through.
        completed = self.tally.counts[StepState.COMPLETED]
        self.unseen = self.tally.total - completed
        self.tally.counts = dict.fromkeys(StepState, 0)
        self.tally.counts[StepState.COMPLETED] = completed
        self.tally.counts[StepState.PENDING] = self.unseen

    def _finish(self, event: Event) -> bool:
        if not self._end(event):
            return False
        self.seen.clear()
        return True


class Overview:
    """The workflows that were heard of most recently.

    Parameters:
      statuses: The workflows that are known at first.
      limit: How many workflows to keep; the one that has been quiet longest is forgotten.
    """

    def __init__(self, statuses: Iterable[WorkflowStatus] = (), *, limit: int = 200) -> None:
        self.limit = limit
        self._rows: OrderedDict[str, WorkflowRow] = OrderedDict()
        self._wanted: dict[str, None] = {}
        for status in statuses:
            self.add(status)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, workflow_id: str) -> WorkflowRow:
        return self._rows[workflow_id]

    @property
    def rows(self) -> Sequence[WorkflowRow]:
        """The workflows: those that run, then those that are through; of each the latest first.

        Not by their latest event, because then rows would change places all the time.
        """
        return sorted(
            self._rows.values(),
            key=lambda row: (row.state.finished, -(row.finished_at or row.started_at), row.id),
        )

    def add(self, status: WorkflowStatus) -> None:
        """Take over a snapshot, also of a workflow that events have told of already.

        A workflow that still runs needs ``status.steps``; of a finished one the counts are enough.
        """
        row = WorkflowRow.of(status)
        if known := self._rows.get(status.id):
            row.last = known.last
        self._wanted.pop(status.id, None)
        self._keep(row)

    def apply(self, event: Event) -> bool:
        """Bring the overview up to date, at constant cost; whether that changed anything."""
        row = self._rows.get(event.workflow_id)
        if row is None:
            row = WorkflowRow(event.workflow_id, event.workflow_name)
            self._wanted[event.workflow_id] = None
            self._keep(row)
        else:
            self._rows.move_to_end(event.workflow_id)
        return row.apply(event)

    def wanted(self) -> list[str]:
        """The ids of workflows known from events only: their size isn't known until someone calls `add`.

        Each is named once, so that a workflow that is gone isn't asked for again and again.
        """
        ids = list(self._wanted)
        self._wanted.clear()
        return ids

    def _keep(self, row: WorkflowRow) -> None:
        self._rows[row.id] = row
        self._rows.move_to_end(row.id)
        while len(self._rows) > self.limit:
            forgotten, _ = self._rows.popitem(last=False)
            self._wanted.pop(forgotten, None)
