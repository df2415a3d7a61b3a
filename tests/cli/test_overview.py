"""The overview keeps up with the events of many workflows."""

from __future__ import annotations

from dramatiq_baton.cli.overview import Overview
from dramatiq_baton.states import StepState, WorkflowState
from tests.cli.flows import T0, event, finished, started, status, step


def test_a_workflow_known_from_events_only_is_wanted_once() -> None:
    overview = Overview()
    overview.apply(event("a", "executing", 1))
    overview.apply(event("b", "executing", 2))
    assert overview.wanted() == ["w"]
    assert overview.wanted() == []
    assert overview["w"].tally.total == 2
    overview.add(status({"a": (), "b": (), "c": ()}, {"a": step("a", StepState.EXECUTING, 1, 1)}))
    assert overview["w"].tally.total == 3
    assert overview["w"].last is not None


def test_the_overview_counts_each_step_once() -> None:
    overview = Overview([status({"a": (), "b": "a"})])
    for again in (1, 2):
        overview.apply(event("a", "executing", again))
        overview.apply(event("a", "completed", 3, cached=again == 2))
    counts = overview["w"].tally.counts
    assert (counts[StepState.COMPLETED], counts[StepState.PENDING], overview["w"].tally.total) == (1, 1, 2)
    assert overview["w"].last == event("a", "completed", 3)


def test_a_step_more_than_the_snapshot_counted_is_counted_too() -> None:
    overview = Overview([status({"a": (), "b": ()})])
    for name in ("a", "b", "new"):
        overview.apply(event(name, "executing", 1))
    tally = overview["w"].tally
    assert (tally.total, tally.counts[StepState.PENDING], tally.counts[StepState.EXECUTING]) == (3, 0, 3)


def test_the_overview_keeps_the_workflows_that_were_heard_of_last() -> None:
    overview = Overview([status({"a": ()}, id=str(n)) for n in range(3)], limit=3)
    overview.apply(event("a", "executing", 1, workflow_id="0"))
    overview.apply(event("a", "executing", 2, workflow_id="new"))
    assert sorted(row.id for row in overview.rows) == ["0", "2", "new"]
    assert len(overview) == 3


def test_a_workflow_that_was_forgotten_is_not_wanted_any_more() -> None:
    overview = Overview(limit=1)
    overview.apply(event("a", "executing", 1, workflow_id="one"))
    overview.apply(event("a", "executing", 2, workflow_id="two"))
    assert overview.wanted() == ["two"]


def test_running_workflows_stand_before_finished_ones_and_later_before_earlier() -> None:
    overview = Overview()
    for n, workflow_id in enumerate("abcd"):
        overview.apply(started(n, workflow_id=workflow_id))
    overview.apply(finished(8, workflow_id="d"))
    overview.apply(finished(9, workflow_id="b"))
    overview.apply(event("x", "executing", 10, workflow_id="a"))
    assert [row.id for row in overview.rows] == ["c", "a", "b", "d"]


def test_a_finished_workflow_keeps_its_counts_but_not_its_steps() -> None:
    overview = Overview([status({"a": (), "b": ()})])
    for told in (event("a", "completed", 1), event("b", "discarded", 2), finished(3, "failed")):
        overview.apply(told)
    row = overview["w"]
    assert (row.state, row.tally.settled, row.seen) == (WorkflowState.FAILED, 2, {})
    assert not overview.apply(event("a", "completed", 4, cached=True))
    overview.apply(started(10))
    assert (row.state, row.tally.counts[StepState.COMPLETED], row.tally.counts[StepState.PENDING]) == (
        WorkflowState.EXECUTING,
        1,
        1,
    )
    assert (row.tally.counts[StepState.DISCARDED], row.elapsed(T0 + 15)) == (0, 5)


def test_the_beginning_of_a_workflow_that_was_never_seen_follows_from_its_duration() -> None:
    overview = Overview()
    overview.apply(finished(100, duration=60))
    assert overview["w"].elapsed(T0 + 500) == 60
