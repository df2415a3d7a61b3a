"""``step.once``: only the execution that speaks for the step stores a value, and the first value stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowRun, WorkflowState, current_step
from dramatiq_baton.once import Once
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.lab import Lab
from tests.support.world import World


def _started(world: World) -> WorkflowRun:
    flow = world.flow()
    flow.add("a", world.act())
    return world.run(flow)


def _execution(hand: ByHand, run: WorkflowRun, token: int) -> Once:
    return Once(hand.store, Address(run.id, "a"), token, 1000)


def _never() -> str:
    raise AssertionError("called though there is a value")


def _stored(world: World, run: WorkflowRun) -> bool:
    return bool(world.redis.exists(f"{world.namespace}:workflow:{{{run.id}}}:once"))


def _taken_over(world: World, hand: ByHand) -> tuple[WorkflowRun, Once, Once]:
    """A step whose first execution lost its lease to a second one."""
    run = _started(world)
    first = hand.claim(run, "a").token
    world.redis.zadd(f"{world.namespace}:index:leases", {f"{run.id}\x1fa\x1f{first}": 0})
    second = hand.claim(run, "a").token
    assert second == first + 1
    return run, _execution(hand, run, first), _execution(hand, run, second)


def test_an_execution_that_lost_its_lease_gets_its_own_value_and_stores_nothing(
    own_world: World, by_hand: ByHand
) -> None:
    run, lost, other = _taken_over(own_world, by_hand)
    assert lost.call("k", lambda: "lost", (), {}) == "lost"
    assert not _stored(own_world, run)
    assert other.call("k", lambda: "other", (), {}) == "other"
    assert lost.call("k", _never, (), {}) == "other"
    run.cancel()


def test_one_that_loses_its_lease_during_the_call_gets_what_the_next_one_stored(
    own_world: World, by_hand: ByHand
) -> None:
    run, lost, other = _taken_over(own_world, by_hand)

    def call() -> str:
        assert other.call("k", lambda: "other", (), {}) == "other"
        return "lost"

    assert lost.call("k", call, (), {}) == "other"
    run.cancel()


def test_what_it_stored_while_it_had_the_lease_is_what_the_next_one_gets(
    own_world: World, by_hand: ByHand
) -> None:
    run = _started(own_world)
    first = by_hand.claim(run, "a").token
    assert _execution(by_hand, run, first).call("k", lambda: "first", (), {}) == "first"
    own_world.redis.zadd(f"{own_world.namespace}:index:leases", {f"{run.id}\x1fa\x1f{first}": 0})
    second = by_hand.claim(run, "a").token
    assert _execution(by_hand, run, second).call("k", _never, (), {}) == "first"
    run.cancel()


@pytest.mark.parametrize("outcome", [StepState.COMPLETED, StepState.DISCARDED, StepState.CANCELLED])
def test_nothing_is_stored_for_a_step_that_has_settled(
    own_world: World, by_hand: ByHand, outcome: StepState
) -> None:
    run = _started(own_world)
    token = by_hand.claim(run, "a").token
    by_hand.settle(run, "a", token, outcome)
    assert _execution(by_hand, run, token).call("k", lambda: "late", (), {}) == "late"
    assert not _stored(own_world, run)


def test_nothing_is_stored_while_a_step_waits_for_its_retry(own_world: World, by_hand: ByHand) -> None:
    run = _started(own_world)
    token = by_hand.claim(run, "a").token
    by_hand.store.defer(
        Address(run.id, "a"), token, StepState.RETRYABLE, delay=60_000, retries=1, worker="by hand"
    )
    assert _execution(by_hand, run, token).call("k", lambda: "late", (), {}) == "late"
    assert not _stored(own_world, run)
    run.cancel()


def test_nothing_is_stored_for_a_workflow_that_is_gone(own_world: World, by_hand: ByHand) -> None:
    run = _started(own_world)
    token = by_hand.claim(run, "a").token
    run.cancel()
    for key in own_world.keys(f"workflow:{{{run.id}}}*"):
        own_world.redis.delete(key)
    assert _execution(by_hand, run, token).call("k", lambda: "late", (), {}) == "late"
    assert not own_world.keys(f"workflow:{{{run.id}}}*")


def test_an_execution_that_was_cancelled_stores_nothing(lab: Lab) -> None:
    told = threading.Event()
    got = []

    @lab.actor
    def work() -> None:
        step = current_step()
        assert step is not None
        assert step.once("before", lambda: "kept") == "kept"
        lab.note("runs")
        assert told.wait(30)
        got.append(step.once("after", lambda: "not kept"))
        got.append(step.once("before", _never))

    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("runs")
        run.cancel()
        told.set()
    assert got == ["not kept", "kept"]
    assert run.status().state is WorkflowState.CANCELLED
    fields = lab.world.redis.hkeys(f"{lab.world.namespace}:workflow:{{{run.id}}}:once")
    assert fields == ["a\x1fbefore"]


def test_two_threads_of_an_actor_that_call_at_a_time_get_the_value_that_was_stored_first(lab: Lab) -> None:
    both = threading.Barrier(2)

    def call() -> int:
        both.wait(30)
        return lab.note("call")

    @lab.actor
    def work() -> list[int]:
        step = current_step()
        assert step is not None
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda _: step.once("k", call), range(2)))

    flow = Workflow("flow")
    flow.add("a", work.message())
    first, second = lab.finish(flow).result("a")
    assert first == second
    assert lab.notes == ["call", "call"]
