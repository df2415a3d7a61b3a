"""No change without its event, no event without its change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import StepState, WorkflowRun, WorkflowStatus
from dramatiq_baton.store import upkeep
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.support.by_hand import ByHand
from tests.support.world import World

#: States that a step gets into without an event: nobody has done anything about it yet.
SILENT = {StepState.PENDING, StepState.QUEUED}


class Watched:
    """A workflow whose events are compared with its status after every change.

    Parameters:
      world, hand: Where, and with what.
      run: The workflow.
    """

    def __init__(self, hand: ByHand, run: WorkflowRun) -> None:
        self.hand, self.run = hand, run
        self.status = run.status()
        self.seen = len(list(run.events()))
        self.tokens: dict[str, int] = {}

    def after(self, change: Callable[[], Any]) -> list[tuple[str, str]]:
        """Make a change; returns the events that tell of it, having compared them."""
        change()
        before, self.status = self.status, self.run.status()
        events = list(self.run.events())[self.seen :]
        self.seen += len(events)
        told = [(event.step, str(event.event)) for event in events]
        assert sorted(told) == sorted(changes(before, self.status))
        return told

    def claim(self, step: str, **options: Any) -> Callable[[], Any]:
        def claim() -> None:
            self.tokens[step] = self.hand.claim(self.run, step, **options).token

        return claim

    def settle(self, step: str, outcome: StepState) -> Callable[[], Any]:
        return lambda: self.hand.settle(self.run, step, self.tokens[step], outcome)

    def defer(self, step: str, state: StepState) -> Callable[[], Any]:
        address = Address(self.run.id, step)
        return lambda: self.hand.store.defer(
            address, self.tokens[step], state, delay=10, retries=1, worker=""
        )


def changes(before: WorkflowStatus, after: WorkflowStatus) -> list[tuple[str, str]]:
    """What must be told of the difference."""
    told = [
        (name, str(step.state))
        for name, step in after.steps.items()
        if step.state is not before.steps[name].state and step.state not in SILENT
    ]
    return told + [("", "workflow_finished")] * (after.state.finished and not before.state.finished)


@pytest.fixture
def watched(own_world: World, by_hand: ByHand) -> Watched:
    plainly = own_world.actors.act_async.message
    flow = own_world.flow()
    flow.add("a", plainly([]))
    for name in ("b", "c", "d"):
        flow.add(name, plainly([]), deps="a")
    flow.add("last", plainly([]), deps=["b", "c", "d"])
    return Watched(by_hand, own_world.run(flow))


C, D, X = StepState.COMPLETED, StepState.DISCARDED, StepState.CANCELLED


def test_the_start_is_told_once_and_nothing_else(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    own_world.run(flow)
    assert [(event.step, event.event) for event in run.events()] == [("", "workflow_started")]


def test_each_change_on_the_way_to_a_good_end_is_told_once(watched: Watched) -> None:
    w = watched
    assert w.after(w.claim("a")) == [("a", "executing")]
    assert w.after(w.defer("a", StepState.RETRYABLE)) == [("a", "retryable")]
    assert w.after(w.claim("a", seq=1)) == [("a", "executing")]
    assert w.after(w.defer("a", StepState.SNOOZED)) == [("a", "snoozed")]
    assert w.after(w.claim("a", seq=2)) == [("a", "executing")]
    assert w.after(w.settle("a", C)) == [("a", "completed")]
    for name in ("b", "c", "d"):
        assert w.after(w.claim(name)) == [(name, "executing")]
        assert w.after(w.settle(name, C)) == [(name, "completed")]
    assert w.after(w.claim("last")) == [("last", "executing")]
    assert w.after(w.settle("last", C)) == [("last", "completed"), ("", "workflow_finished")]


@pytest.mark.parametrize("outcome", [D, X])
def test_each_step_that_a_failure_takes_along_is_told_once(watched: Watched, outcome: StepState) -> None:
    w = watched
    w.after(w.claim("a"))
    told = w.after(w.settle("a", outcome))
    assert told[0] == ("a", str(outcome))
    assert told[-1] == ("", "workflow_finished")
    assert sorted(told[1:-1]) == [(name, "cancelled") for name in ("b", "c", "d", "last")]


def test_a_step_that_is_refused_is_told_once(watched: Watched) -> None:
    address = Address(watched.run.id, "a")
    told = watched.after(lambda: watched.hand.store.reject(address, 0, "too old"))
    assert told[0] == ("a", "discarded")


def test_a_step_that_is_asked_for_too_early_is_told_as_snoozed(watched: Watched) -> None:
    assert watched.after(watched.claim("last")) == [("last", "snoozed")]


def test_asking_again_as_the_same_delivery_is_not_told(watched: Watched) -> None:
    assert watched.after(watched.claim("a", holder="me")) == [("a", "executing")]
    assert watched.after(watched.claim("a", holder="me")) == []


def test_what_changes_nothing_is_not_told(watched: Watched) -> None:
    w = watched
    w.after(w.claim("a"))
    token = w.tokens["a"]
    assert w.after(w.claim("a")) == []  # a duplicate
    w.tokens["a"] = token - 1
    assert w.after(w.settle("a", D)) == []  # of one who lost the lease
    assert w.after(w.defer("a", StepState.SNOOZED)) == []
    w.tokens["a"] = token
    w.after(w.settle("a", C))
    for again in (w.settle("a", C), w.settle("a", D), w.defer("a", StepState.QUEUED)):
        assert w.after(again) == []
    assert w.after(lambda: w.hand.store.spread(w.run.id)) == []
    assert w.after(lambda: w.hand.store.reject(Address(w.run.id, "a"), 0, "late")) == []
    assert w.after(lambda: upkeep.resend(w.hand.store, Overdue(Address(w.run.id, "b"), "q"))) == []


def test_a_step_that_goes_back_to_its_queue_is_told_as_a_snooze_of_0(
    own_world: World, hasty: ByHand, watched: Watched
) -> None:
    """``queued`` has no event of its own in the contract."""

    def told_since(seen: int) -> list[tuple[str, str, int | None]]:
        return [(event.step, str(event.event), event.delay) for event in watched.run.events()][seen:]

    token = hasty.claim(watched.run, "a").token
    upkeep.expire(hasty.store, Lease(Address(watched.run.id, "a"), token), max_rescues=9)
    assert told_since(2) == [("a", "snoozed", 0)]
    token = watched.hand.claim(watched.run, "a", seq=1).token
    address = Address(watched.run.id, "a")
    watched.hand.store.defer(address, token, StepState.QUEUED, delay=0, retries=0, worker="")
    assert told_since(4) == [("a", "snoozed", 0)]


def test_a_step_that_is_buried_is_told_once(own_world: World, hasty: ByHand, watched: Watched) -> None:
    token = hasty.claim(watched.run, "a").token
    watched.after(lambda: None)
    lease = Lease(Address(watched.run.id, "a"), token)
    told = watched.after(lambda: upkeep.expire(hasty.store, lease, max_rescues=1))
    assert told[0] == ("a", "discarded")
