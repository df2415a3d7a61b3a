"""The values of calls go with their workflow's data, and not before."""

from __future__ import annotations

import time

import pytest

from dramatiq_baton import CorruptData, StepState, WorkflowRun
from dramatiq_baton.once import Once
from dramatiq_baton.store import steering
from dramatiq_baton.store.steering import Pruned
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.world import World


def _key(world: World, run: WorkflowRun) -> str:
    return f"{world.namespace}:workflow:{{{run.id}}}:once"


def _paid(world: World, hand: ByHand) -> WorkflowRun:
    """A workflow that has failed behind a call."""
    flow = world.flow()
    flow.add("a", world.act())
    run = world.run(flow)
    token = hand.claim(run, "a").token
    assert Once(hand.store, Address(run.id, "a"), token, 1000).call("k", lambda: 1, (), {}) == 1
    assert world.redis.ttl(_key(world, run)) == -1
    hand.settle(run, "a", token, StepState.DISCARDED)
    return run


def test_they_expire_with_the_workflow_and_are_kept_when_it_is_retried(
    own_world: World, by_hand: ByHand
) -> None:
    run = _paid(own_world, by_hand)
    key, workflow = _key(own_world, run), _key(own_world, run).removesuffix(":once")
    assert own_world.redis.pttl(key) == pytest.approx(own_world.redis.pttl(workflow), abs=1000)
    run.retry()
    assert own_world.redis.ttl(key) == -1
    run.cancel()
    assert own_world.redis.ttl(key) > 0


def test_nothing_is_left_of_them_when_it_is_pruned(own_world: World, by_hand: ByHand) -> None:
    run = _paid(own_world, by_hand)
    later = int(time.time() * 1000) + 60_000
    assert steering.prune(by_hand.store, run.id, finished_before=later) is Pruned.PRUNED
    assert own_world.keys(f"workflow:{{{run.id}}}*") == []


def test_foreign_data_in_their_place_is_an_error_before_the_call(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    token = by_hand.claim(run, "a").token
    own_world.redis.set(_key(own_world, run), "somebody else's")
    called: list[int] = []
    with pytest.raises(CorruptData, match="what Baton didn't write"):
        Once(by_hand.store, Address(run.id, "a"), token, 1000).call("k", called.append, (1,), {})
    assert called == []
    own_world.redis.delete(_key(own_world, run))
    run.cancel()
