"""G2: a stored result is never computed again or overwritten. The first result wins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dramatiq_baton import StepState, WorkflowRun
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.streams import EventReader
from tests.support.by_hand import ByHand, send_message, wait_for_event
from tests.support.world import World

C, D, X = StepState.COMPLETED, StepState.DISCARDED, StepState.CANCELLED


@pytest.fixture
def hasty(own_world: World) -> Iterator[ByHand]:
    """Whoever gets a lease here has lost it the next moment."""
    hand = ByHand(own_world, lease_ttl=0)
    yield hand
    hand.close()


@pytest.fixture
def run(own_world: World) -> WorkflowRun:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    return own_world.run(flow)


def settlings(run: WorkflowRun, step: str) -> list[str]:
    return [str(event.event) for event in run.events() if event.step == step and event.event in (C, D, X)]


def test_a_second_delivery_of_a_completed_step_takes_the_stored_result(world: World) -> None:
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    flow.add("a", world.act(["run"]))
    flow.add("b", world.act(["wait for", "g2 duplicate"]))
    run = world.run(flow)
    wait_for_event(run, "a", "completed")
    for _ in range(3):
        send_message(world, run, "a")
    cached = (event for event in run.events(follow=True) if event.cached)
    assert [next(cached).event for _ in range(3)] == ["completed"] * 3
    world.actors.let_go("g2 duplicate")
    run.wait(timeout=30_000)
    assert world.runs_of(run, "a") == 1
    assert run.result("a") == 1


def test_nor_is_it_computed_again_after_the_workflow_has_finished(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["run"]))
    run = world.finish(flow)
    everything = EventReader(run._runtime.store)
    position = everything.last_id()
    send_message(world, run, "a")
    event = next(event for event in everything.follow(position) if event.workflow_id == run.id)
    assert (event.event, event.cached) == ("completed", True)
    assert (world.runs_of(run, "a"), run.result("a")) == (1, 1)


@pytest.mark.parametrize("late", [C, D, X])
@pytest.mark.parametrize("first", [C, D, X])
def test_what_a_settled_step_is_told_later_changes_nothing(
    own_world: World, by_hand: ByHand, run: WorkflowRun, first: StepState, late: StepState
) -> None:
    token = by_hand.claim(run, "a").token
    by_hand.settle(run, "a", token, first, "the first", reason="the first")
    before = own_world.dump(run.id)
    assert by_hand.settle(run, "a", token, late, "a later one", reason="a later one").word == "settled"
    assert own_world.dump(run.id) == before
    assert settlings(run, "a") == [first]


def test_of_two_workers_the_one_that_lost_its_lease_wins_if_its_result_is_first(
    own_world: World, hasty: ByHand, run: WorkflowRun
) -> None:
    slow, quick = hasty.claim(run, "a").token, hasty.claim(run, "a").token
    assert slow < quick
    assert hasty.settle(run, "a", slow, C, "of the first").word == "ok"
    assert run.status().steps["b"].state is StepState.QUEUED
    before = own_world.dump(run.id)
    assert hasty.settle(run, "a", quick, C, "of the second").word == "settled"
    assert hasty.settle(run, "a", quick, D).word == "settled"
    assert own_world.dump(run.id) == before
    assert run.result("a") == "of the first"
    assert settlings(run, "a") == ["completed"]


def test_of_two_workers_the_one_with_the_lease_wins_if_its_result_is_first(
    own_world: World, hasty: ByHand, run: WorkflowRun
) -> None:
    slow, quick = hasty.claim(run, "a").token, hasty.claim(run, "a").token
    hasty.settle(run, "a", quick, C, "of the second")
    before = own_world.dump(run.id)
    assert hasty.settle(run, "a", slow, C, "of the first").word == "settled"
    assert own_world.dump(run.id) == before
    assert run.result("a") == "of the second"


@pytest.mark.parametrize("says", [D, X, StepState.SNOOZED, StepState.RETRYABLE, StepState.QUEUED])
def test_a_worker_that_lost_its_lease_can_only_bring_a_result(
    own_world: World, hasty: ByHand, run: WorkflowRun, says: StepState
) -> None:
    slow, quick = hasty.claim(run, "a").token, hasty.claim(run, "a").token
    before = own_world.dump(run.id)
    if says.settled:
        assert hasty.settle(run, "a", slow, says).word == "lost"
    else:
        assert hasty.store.defer(Address(run.id, "a"), slow, says, delay=0, retries=1, worker="") is None
    assert own_world.dump(run.id) == before
    hasty.settle(run, "a", quick, C, 2)
    assert run.result("a") == 2


def test_a_result_is_not_brought_to_a_step_that_was_given_up(
    own_world: World, hasty: ByHand, run: WorkflowRun
) -> None:
    slow, quick = hasty.claim(run, "a").token, hasty.claim(run, "a").token
    hasty.settle(run, "a", quick, D, reason="given up")
    hasty.settle(run, "a", slow, C, "too late")
    assert run.results() == {}
    assert run.status().steps["a"].state is D
    assert run.status().steps["b"].state is X
