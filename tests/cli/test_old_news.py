"""Board and overview end up right, whatever order snapshot and events come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.overview import Overview
from dramatiq_baton.events import Event, EventType
from dramatiq_baton.states import StepState, StepStatus, WorkflowState, WorkflowStatus
from tests.cli.flows import STORY, T0, check, diamond, event, finished, started, states, status, step


@pytest.mark.parametrize("kind", ["executing", "snoozed", "retryable", "completed", "discarded", "cancelled"])
@pytest.mark.parametrize("settled", ["completed", "discarded", "cancelled"])
def test_a_settled_step_never_goes_back(settled: str, kind: str) -> None:
    board = diamond()
    board.apply(event("a", settled, 10))
    assert not board.apply(event("a", kind, 20, attempt=2))
    assert board.steps["a"].state == settled
    check(board)


def test_an_event_older_than_the_snapshot_changes_nothing() -> None:
    board = Board(status({"a": ()}, {"a": step("a", StepState.EXECUTING, 2, begun=50)}))
    assert not board.apply(event("a", "executing", 10, attempt=1))
    assert not board.apply(event("a", "retryable", 20, attempt=1))
    assert not board.apply(event("a", "snoozed", 49, attempt=2))
    assert (board.steps["a"].state, board.steps["a"].attempt) == (StepState.EXECUTING, 2)
    assert board.apply(event("a", "retryable", 60, attempt=2))


def test_what_an_overtaken_attempt_says_counts_only_if_it_is_a_result() -> None:
    board = Board(status({"a": ()}, {"a": step("a", StepState.EXECUTING, 2, begun=50)}))
    assert not board.apply(event("a", "discarded", 60, attempt=1))
    assert board.apply(event("a", "completed", 61, attempt=1))
    assert (board.steps["a"].state, board.steps["a"].attempt) == (StepState.COMPLETED, 2)


def test_a_later_attempt_is_news_even_if_redis_set_its_clock_back() -> None:
    board = Board(status({"a": ()}, {"a": step("a", StepState.EXECUTING, 1, begun=50)}))
    assert board.apply(event("a", "executing", 20, attempt=2))


def snapshot_of(board: Board) -> WorkflowStatus:
    rows = {
        name: StepStatus(
            name, row.state, row.actor, "", row.attempt, row.deps, row.reason, row.started_at, row.finished_at
        )
        for name, row in board.steps.items()
    }
    counts = dict(board.tally.counts)
    return WorkflowStatus(
        "w", "flow", board.state, len(rows), counts, rows, T0, board.finished_at, board.started_at
    )


@pytest.mark.parametrize("at", range(len(STORY) + 1))
def test_board_and_overview_end_up_right_however_far_before_the_snapshot_events_begin(at: int) -> None:
    for since in range(at + 1):
        before = diamond()
        for past in STORY[:at]:
            before.apply(past)
        snapshot = snapshot_of(before)
        board, overview = Board(snapshot), Overview([snapshot])
        for replayed in STORY[since:]:
            board.apply(replayed)
            overview.apply(replayed)
        check(board)
        assert states(board) == "a:completed b:completed c:completed d:completed"
        assert (board.state, board.finished_at) == (WorkflowState.COMPLETED, T0 + 24)
        assert overview["w"].state is WorkflowState.COMPLETED
        assert overview["w"].tally.counts[StepState.COMPLETED] == 4


steps_events = st.builds(
    event,
    st.sampled_from(["a", "b", "c", "d", "new"]),
    st.sampled_from([kind for kind in EventType if not kind.startswith("workflow")]),
    st.integers(0, 30),
    st.integers(0, 3),
)
any_event = steps_events | st.builds(started, st.integers(0, 30)) | st.builds(finished, st.integers(0, 30))


@given(st.lists(any_event))
def test_the_sums_are_right_whatever_the_events(events: list[Event]) -> None:
    board, overview = diamond(), Overview([status({"a": (), "b": "a", "c": "a", "d": "bc"})])
    for anything in events:
        board.apply(anything)
        overview.apply(anything)
    check(board)
    tally = overview["w"].tally
    assert sum(tally.counts.values()) == tally.total
    assert min(tally.counts.values()) >= 0
