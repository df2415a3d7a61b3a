"""G1: an actor never starts before all its deps have settled acceptably."""

from __future__ import annotations

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowRun
from dramatiq_baton.store.store import Address
from tests.support import story
from tests.support.by_hand import ByHand, send_message, wait_for_event
from tests.support.world import World

DISPATCH = pytest.mark.parametrize("dispatch", ["ready", "eager"])


def assert_kept(world: World, run: WorkflowRun) -> None:
    assert story.violations(run.status(), list(run.events()), lease_ttl=world.actors.LEASE_TTL) == []


def layered(world: World, dispatch: str) -> Workflow:
    """Three layers of three, each step waiting for all of the layer before; some stumble first."""
    flow = world.flow(dispatch)
    stumble = {0: [["fail", "x"]], 1: [["snooze", 5]], 2: []}
    before: list[str] = []
    for layer in range(3):
        names = [f"{layer}.{number}" for number in range(3)]
        for number, name in enumerate(names):
            flow.add(name, world.act(*stumble[number], ["results"]), deps=before)
        before = names
    return flow


@DISPATCH
def test_every_step_starts_after_all_its_deps_have_settled(world: World, dispatch: str) -> None:
    run = world.finish(layered(world, dispatch), dispatch=dispatch)
    assert_kept(world, run)
    assert run.result("2.1").keys() == {"1.0", "1.1", "1.2"}


def test_a_message_that_comes_too_early_is_put_back_until_its_deps_have_settled(world: World) -> None:
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    flow.add("first", world.act(["wait for", "g1 early"]))
    flow.add("second", world.act(["results"]), deps="first")
    run = world.run(flow)
    wait_for_event(run, "first", "executing")
    send_message(world, run, "second")
    wait_for_event(run, "second", "snoozed")
    assert world.runs_of(run, "second") == 0
    world.actors.let_go("g1 early")
    run.wait(timeout=30_000)
    assert_kept(world, run)
    assert world.runs_of(run, "second") == 1
    assert run.result("second") == {"first": "waited"}


@pytest.mark.parametrize("state", ["queued", "executing", "snoozed", "retryable"])
def test_the_gate_lets_nobody_through_while_a_dep_is_unsettled(
    own_world: World, by_hand: ByHand, state: str
) -> None:
    flow = own_world.flow()
    flow.add("settled", own_world.act())
    flow.add("open", own_world.act())
    flow.add("last", own_world.act(), deps=["settled", "open"])
    run = own_world.run(flow)
    by_hand.complete(run, "settled")
    if state != "queued":
        token = by_hand.claim(run, "open").token
        if state != "executing":
            address = Address(run.id, "open")
            by_hand.store.defer(address, token, StepState(state), delay=5, retries=0, worker="")
    assert run.status().steps["open"].state == state
    for seq in range(3):  # each time it is put back under the next number
        assert by_hand.claim(run, "last", seq=seq).word == "snoozed"
    assert run.status().steps["last"].attempt == 0


@DISPATCH
@pytest.mark.parametrize("answer", ["discard", "cancel", "fail"])
def test_behind_a_dep_that_failed_no_actor_starts(world: World, dispatch: str, answer: str) -> None:
    flow = world.flow()
    flow.add("fine", world.act(["value", 1]))
    flow.add("bad", world.act([answer, "no"]))
    flow.add("last", world.act(["value", 1]), deps=["fine", "bad"])
    flow.add("behind", world.act(["value", 1]), deps="last")
    run = world.finish(flow, dispatch=dispatch)
    assert_kept(world, run)
    assert (world.runs_of(run, "last"), world.runs_of(run, "behind")) == (0, 0)
    assert run.status().steps["behind"].state is StepState.CANCELLED


@DISPATCH
def test_an_ignored_dep_must_settle_too_before_the_step_starts(world: World, dispatch: str) -> None:
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    bad = flow.add("bad", world.act(["fail", "x"], ["snooze", 10], ["discard", "no"]))
    flow.add("last", world.act(["inputs"], inputs=["got", bad]), ignore_discarded=True)
    run = world.finish(flow, dispatch=dispatch)
    assert_kept(world, run)
    assert run.result("last") == ["got", None]
