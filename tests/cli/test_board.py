"""The board keeps up with the events of one workflow."""

from __future__ import annotations

from dramatiq_baton.cli.board import Board
from dramatiq_baton.states import StepState, WorkflowState
from tests.cli.flows import STORY, T0, check, diamond, event, finished, started, states, status, step


def test_an_attempt_is_followed_from_its_begin_to_its_end() -> None:
    board = diamond()
    assert board.apply(event("a", "executing", 100))
    row = board.steps["a"]
    assert (row.state, row.attempt, row.elapsed(T0 + 350)) == (StepState.EXECUTING, 1, 250)
    assert board.apply(event("a", "retryable", 400, duration=299, delay=1000, error="ValueError: no"))
    assert (row.state, row.elapsed(T0 + 999), row.again_at) == (StepState.RETRYABLE, 299, T0 + 1400)
    assert row.reason == "ValueError: no"
    assert board.apply(event("a", "executing", 1500, attempt=2))
    assert (row.attempt, row.reason, row.again_at, row.elapsed(T0 + 1501)) == (2, "", None, 1)
    assert board.apply(event("a", "completed", 1700, attempt=2))
    assert (row.state, row.finished_at, row.elapsed(T0 + 9999)) == (StepState.COMPLETED, T0 + 1700, 200)
    check(board)


def test_a_step_whose_deps_have_completed_counts_as_queued() -> None:
    board = diamond()
    assert states(board) == "a:queued b:pending c:pending d:pending"
    board.apply(event("a", "completed", 1))
    assert states(board) == "a:completed b:queued c:queued d:pending"
    board.apply(event("b", "completed", 2))
    assert board.steps["d"].waiting == 1
    board.apply(event("c", "completed", 3))
    assert states(board) == "a:completed b:completed c:completed d:queued"
    check(board)


def test_a_step_behind_a_failed_one_stays_pending_until_its_own_event() -> None:
    board = diamond()
    board.apply(event("a", "discarded", 1, reason="no"))
    assert states(board) == "a:discarded b:pending c:pending d:pending"
    board.apply(event("b", "cancelled", 2, attempt=0, reason="dep a was discarded"))
    assert states(board) == "a:discarded b:cancelled c:pending d:pending"
    assert board.steps["b"].reason == "dep a was discarded"
    check(board)


def test_reason_and_error_are_both_told_but_nothing_twice() -> None:
    board = diamond()
    board.apply(event("a", "discarded", 1, reason="retries exhausted", error="ValueError: x"))
    board.apply(event("b", "discarded", 1, reason="threw ValueError: x", error="ValueError: x"))
    assert board.steps["a"].reason == "retries exhausted: ValueError: x"
    assert board.steps["b"].reason == "threw ValueError: x"


def test_events_of_other_workflows_are_passed_over() -> None:
    board = diamond()
    assert not board.apply(event("a", "completed", 1, workflow_id="other"))
    assert states(board).startswith("a:queued")


def test_a_step_that_the_snapshot_does_not_hold_is_taken_in() -> None:
    board = diamond()
    board.apply(event("new", "executing", 1))
    row = board.steps["new"]
    assert (row.state, row.depth, board.tally.total) == (StepState.EXECUTING, None, 5)
    assert board.rows[-1] is row
    check(board)


def test_the_workflow_finishes_with_its_outcome_and_its_time_stands_still() -> None:
    board = diamond()
    assert board.elapsed(T0 + 70) == 70
    assert board.apply(finished(100, "failed"))
    assert (board.state, board.finished, board.elapsed(T0 + 999)) == (WorkflowState.FAILED, True, 100)
    assert not board.apply(finished(200, "completed"))


def test_a_retry_begins_again_with_the_steps_that_did_not_complete() -> None:
    board = diamond()
    for past in STORY[:11]:
        board.apply(past)
    assert states(board) == "a:completed b:discarded c:completed d:cancelled"
    assert board.apply(started(20))
    assert states(board) == "a:completed b:queued c:completed d:pending"
    assert (board.state, board.finished_at, board.elapsed(T0 + 25)) == (WorkflowState.EXECUTING, None, 5)
    assert board.apply(event("b", "executing", 21, attempt=3))
    check(board)


def test_the_start_of_an_earlier_run_opens_nothing_again() -> None:
    ended = {"a": step("a", StepState.DISCARDED, 1, 1, 5)}
    board = Board(status({"a": ()}, ended, state=WorkflowState.FAILED, finished_at=T0 + 5))
    assert not board.apply(started(0))
    assert (board.state, states(board)) == (WorkflowState.FAILED, "a:discarded")


def test_the_start_of_a_run_opens_nothing_that_settled_in_it() -> None:
    board = Board(status({"a": (), "b": ()}, {"a": step("a", StepState.DISCARDED, 1, 21, 22)}))
    assert board.apply(started(20))
    assert states(board) == "a:discarded b:queued"


def test_an_outcome_that_is_unknown_still_ends_the_workflow() -> None:
    board = diamond()
    board.apply(finished(5, "exploded"))
    assert board.state is WorkflowState.FAILED


def test_the_steps_in_a_state_stand_in_the_order_in_which_they_got_there() -> None:
    board = Board(status(dict.fromkeys("abc", ()), {"c": step("c", StepState.EXECUTING, 1, 1)}))
    board.apply(event("b", "executing", 2))
    board.apply(event("a", "executing", 3))
    assert list(board.in_state[StepState.EXECUTING]) == ["c", "b", "a"]
    board.apply(event("c", "executing", 4, attempt=2))
    assert list(board.in_state[StepState.EXECUTING]) == ["b", "a", "c"]
