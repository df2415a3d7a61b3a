"""A step that is cancelled between being claimed and being started: its actor knows from the beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dramatiq_baton import Step, StepCancelled
from dramatiq_baton.leases import Leases
from dramatiq_baton.metering import Meter
from dramatiq_baton.pricing import PublicPrices
from dramatiq_baton.store import steering
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.world import World

TOKEN = 1


@pytest.fixture
def address(own_world: World, by_hand: ByHand) -> Iterator[Address]:
    """A step that this process has claimed."""
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    assert by_hand.claim(run, "a").token == TOKEN
    yield Address(run.id, "a")
    steering.cancel(by_hand.store, run.id, "", interrupt=False)


@pytest.fixture
def leases(by_hand: ByHand, address: Address) -> Leases:
    leases = Leases(by_hand.store)
    leases.hold(address, TOKEN)
    return leases


@pytest.fixture
def step(by_hand: ByHand, address: Address) -> Step:
    meter = Meter(by_hand.store, address, 1, PublicPrices())
    return Step(by_hand.store, address, workflow_name="flow", attempt=1, meter=meter)


def test_its_actor_sees_it_at_once(by_hand: ByHand, leases: Leases, address: Address, step: Step) -> None:
    steering.cancel(by_hand.store, address.workflow_id, "", interrupt=False)
    leases.renew()
    with leases.executing(address, TOKEN, step):
        assert step.cancelled


def test_its_actor_does_not_begin_if_it_is_to_be_interrupted(
    by_hand: ByHand, leases: Leases, address: Address, step: Step
) -> None:
    steering.cancel(by_hand.store, address.workflow_id, "", interrupt=True)
    leases.renew()
    with pytest.raises(StepCancelled), leases.executing(address, TOKEN, step):
        raise AssertionError("it began")


def test_while_it_runs_it_sees_it_when_leases_are_renewed(
    by_hand: ByHand, leases: Leases, address: Address, step: Step
) -> None:
    with leases.executing(address, TOKEN, step):
        steering.cancel(by_hand.store, address.workflow_id, "", interrupt=False)
        assert not step.cancelled
        leases.renew()
        assert step.cancelled


def test_it_sees_it_too_if_the_workflow_was_pruned_meanwhile(
    by_hand: ByHand, leases: Leases, address: Address, step: Step, own_world: World
) -> None:
    with leases.executing(address, TOKEN, step):
        steering.cancel(by_hand.store, address.workflow_id, "", interrupt=False)
        steering.prune(by_hand.store, address.workflow_id, finished_before=2**50)
        leases.renew()
        assert step.cancelled
    flow = own_world.flow(id=address.workflow_id)  # for the fixture to cancel
    flow.add("a", own_world.act())
    own_world.run(flow)


def test_a_lease_that_was_lost_otherwise_is_no_cancellation(
    by_hand: ByHand, leases: Leases, address: Address, step: Step, own_world: World
) -> None:
    with leases.executing(address, TOKEN, step):
        index = f"{own_world.namespace}:index:leases"
        own_world.redis.zrem(index, f"{address.workflow_id}\x1fa\x1f{TOKEN}")
        leases.renew()
        assert not step.cancelled


def test_what_it_is_told_is_forgotten_with_its_lease(
    by_hand: ByHand, leases: Leases, address: Address, step: Step
) -> None:
    steering.cancel(by_hand.store, address.workflow_id, "", interrupt=True)
    leases.renew()
    leases.drop(address, TOKEN)
    with leases.executing(address, TOKEN, step):
        assert not step.cancelled
