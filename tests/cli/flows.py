"""Workflows as snapshots and events tell of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dramatiq_baton.cli.board import Board
from dramatiq_baton.events import Event, EventType
from dramatiq_baton.states import StepState, StepStatus, WorkflowState, WorkflowStatus

T0 = 1_700_000_000_000


def event(step: str, kind: EventType | str, ts: int = 0, attempt: int = 1, **fields: object) -> Event:
    """An event *ts* milliseconds after the workflow was submitted."""
    workflow_id = str(fields.pop("workflow_id", "w"))
    name = str(fields.pop("name", "flow"))
    head = ("1-0", EventType(kind), workflow_id, name, step, "actor", "default", attempt, T0 + ts)
    return Event(*head, **fields)  # type: ignore[arg-type]


def started(ts: int = 0, **fields: object) -> Event:
    return event("", "workflow_started", ts, 0, **fields)


def finished(ts: int, outcome: str = "completed", **fields: object) -> Event:
    return event("", "workflow_finished", ts, 0, outcome=outcome, **fields)


def status(
    deps: Mapping[str, Iterable[str]],
    states: Mapping[str, StepStatus] | None = None,
    *,
    id: str = "w",
    state: WorkflowState = WorkflowState.EXECUTING,
    finished_at: int | None = None,
) -> WorkflowStatus:
    steps = {
        name: StepStatus(
            name, StepState.PENDING if before else StepState.QUEUED, "actor", "default", deps=tuple(before)
        )
        for name, before in deps.items()
    } | dict(states or {})
    counts = Counter(step.state for step in steps.values())
    return WorkflowStatus(id, "flow", state, len(steps), dict(counts), steps, T0, finished_at, T0)


def step(name: str, state: StepState, attempt: int, begun: int, ended: int | None = None) -> StepStatus:
    end = None if ended is None else T0 + ended
    return StepStatus(name, state, "actor", "default", attempt, started_at=T0 + begun, finished_at=end)


def diamond() -> Board:
    return Board(status({"a": (), "b": "a", "c": "a", "d": "bc"}))


def states(board: Board) -> str:
    return " ".join(f"{name}:{row.state}" for name, row in board.steps.items())


def check(board: Board) -> None:
    """The sums that the board keeps are those that its rows give."""
    assert {state: count for state, count in board.tally.counts.items() if count} == Counter(
        row.state for row in board.rows
    )
    for row in board.rows:
        assert board.in_state[row.state][row.name] is row
    assert sum(map(len, board.in_state.values())) == board.tally.total == len(board.rows)
    for groups in (board.by_depth.values(), board.by_actor.values()):
        for state in StepState:
            assert sum(group.counts[state] for group in groups) == board.tally.counts[state]


# One run that fails, and a retry, after which attempts are counted anew.
STORY = [
    started(),
    event("a", "executing", 1),
    event("a", "completed", 2),
    event("b", "executing", 3),
    event("c", "executing", 3),
    event("b", "discarded", 4, attempt=2),
    event("c", "snoozed", 5, delay=1),
    event("d", "cancelled", 5, attempt=0),
    event("c", "executing", 7, attempt=2),
    event("c", "completed", 8, attempt=2),
    finished(8, "failed"),
    started(20),
    event("b", "executing", 21, attempt=3),
    event("b", "completed", 22, attempt=3),
    event("d", "executing", 23),
    event("d", "completed", 24),
    finished(24),
]
