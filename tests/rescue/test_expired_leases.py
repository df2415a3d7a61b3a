"""The rescue of steps whose lease ran out: their worker died, or lost touch."""

from __future__ import annotations

from dramatiq_baton import StepState, WorkflowState
from dramatiq_baton.store import upkeep
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import Lease
from tests.support.rescuing import MAX_RESCUES, Rescuing


def test_a_step_whose_lease_ran_out_is_queued_again_and_the_death_counted(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.hand.claim(run, "a")
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    step = run.status().steps["a"]
    assert (step.state, step.attempt, step.reason) == (StepState.QUEUED, 1, "its worker died or lost touch")
    assert rescuing.record(run, "a")["deaths"] == 1
    rescuing.finish(run)
    assert run.status().steps["a"].attempt == 2
    assert rescuing.lab.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]


def test_a_step_whose_lease_holds_is_left_alone(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.hand.claim(run, "a")
    before = rescuing.world.dump(run.id)
    assert rescuing.look() == []
    assert rescuing.world.dump(run.id) == before


def test_a_lease_that_was_renewed_after_the_rescue_looked_is_left_alone(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    token = rescuing.hand.claim(run, "a").token
    before = rescuing.world.dump(run.id)
    spread = upkeep.expire(rescuing.store, Lease(Address(run.id, "a"), token), max_rescues=MAX_RESCUES)
    assert (spread.word, spread.released) == ("renewed", ())
    assert rescuing.world.dump(run.id) == before


def test_a_lease_that_was_followed_by_another_takes_nothing_away(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    old = rescuing.hand.claim(run, "a").token
    rescuing.pass_time()
    rescuing.hand.claim(run, "a")
    before = rescuing.world.dump(run.id)
    spread = upkeep.expire(rescuing.store, Lease(Address(run.id, "a"), old), max_rescues=MAX_RESCUES)
    assert (spread.word, spread.released) == ("stale", ())
    assert rescuing.world.dump(run.id) == before


def test_a_step_that_settled_meanwhile_is_left_alone(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b"))
    token = rescuing.hand.claim(run, "a").token
    rescuing.hand.settle(run, "a", token, StepState.COMPLETED, "done")
    before = rescuing.world.dump(run.id)
    upkeep.expire(rescuing.store, Lease(Address(run.id, "a"), token), max_rescues=MAX_RESCUES)
    assert rescuing.world.dump(run.id) == before


def test_after_max_rescues_deaths_a_step_is_discarded_with_a_reason_that_says_so(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b", deps={"b": "a"}))
    for seq in range(MAX_RESCUES):
        rescuing.hand.claim(run, "a", seq=seq)
        rescuing.pass_time()
        rescuing.look()
    status = run.status()
    assert status.state is WorkflowState.FAILED
    assert status.steps["a"].state is StepState.DISCARDED
    assert status.steps["a"].reason == "its worker died 2 times while running it (max_rescues)"
    assert status.steps["b"].state is StepState.CANCELLED
    assert rescuing.lab.notes == []


def test_what_depends_on_it_with_ignore_discarded_goes_on(rescuing: Rescuing) -> None:
    flow = rescuing.flow("a")
    flow.add("b", rescuing.act.message("b"), deps="a", ignore_discarded=True)
    run = rescuing.run_and_lose(flow)
    for seq in range(MAX_RESCUES):
        rescuing.hand.claim(run, "a", seq=seq)
        rescuing.pass_time()
        sent = rescuing.look()
    assert sent == ["b"]
    rescuing.finish(run)
    assert run.results() == {"b": "b"}


def test_an_index_entry_that_nothing_stands_behind_is_removed(rescuing: Rescuing) -> None:
    leases = f"{rescuing.world.namespace}:index:leases"
    rescuing.redis.zadd(leases, {"no-such-workflow\x1fa\x1f1": 0})
    assert rescuing.look() == []
    assert not rescuing.redis.exists(leases)
