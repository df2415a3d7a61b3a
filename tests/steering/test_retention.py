"""A finished workflow's data goes after its retention, or earlier when it is pruned; a live one's never."""

from __future__ import annotations

import time

import pytest

from dramatiq_baton import StepState, WorkflowNotFound, WorkflowRun, WorkflowState, get_run
from dramatiq_baton.store import catalogue, steering
from dramatiq_baton.store.steering import Pruned
from tests.support.by_hand import ByHand
from tests.support.world import World


def _now() -> int:
    return int(time.time() * 1000) + 60_000


def _finished(world: World, hand: ByHand) -> WorkflowRun:
    flow = world.flow()
    flow.add("a", world.act())
    flow.add("b", world.act(), deps="a")
    run = world.run(flow)
    hand.complete(run, "a", 1)
    hand.complete(run, "b", 2)
    return run


def test_nothing_of_a_pruned_workflow_is_left(own_world: World, by_hand: ByHand) -> None:
    run = _finished(own_world, by_hand)
    assert steering.prune(by_hand.store, run.id, finished_before=_now()) is Pruned.PRUNED
    assert own_world.keys(f"workflow:{{{run.id}}}*") == []
    assert list(catalogue.entries(by_hand.store)) == []
    assert own_world.keys("index:expiring") == []
    for call in (run.status, run.results, run.cancel, run.retry, run.wait, lambda: run.result("a")):
        with pytest.raises(WorkflowNotFound, match=run.id):
            call()
    with pytest.raises(WorkflowNotFound, match=run.id):
        get_run(run.id, broker=own_world.broker)


def test_a_live_workflow_is_not_pruned(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    before = own_world.dump(run.id)
    assert steering.prune(by_hand.store, run.id, finished_before=_now()) is Pruned.RUNNING
    assert own_world.dump(run.id) == before
    run.cancel()


def test_one_that_is_retried_meanwhile_is_not_pruned(own_world: World, by_hand: ByHand) -> None:
    run = _finished(own_world, by_hand)
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "a")
    run.retry()
    assert steering.prune(by_hand.store, run.id, finished_before=_now()) is Pruned.RUNNING
    assert run.cancel() == 1


def test_one_that_finished_too_late_is_not_pruned(own_world: World, by_hand: ByHand) -> None:
    run = _finished(own_world, by_hand)
    finished = run.status().finished_at
    assert finished is not None
    assert steering.prune(by_hand.store, run.id, finished_before=finished - 1) is Pruned.LATER
    assert run.results() == {"a": 1, "b": 2}
    assert steering.prune(by_hand.store, run.id, finished_before=finished) is Pruned.PRUNED


def test_one_that_is_gone_is_unknown(own_world: World, by_hand: ByHand) -> None:
    assert steering.prune(by_hand.store, "gone", finished_before=_now()) is Pruned.UNKNOWN


def test_a_pruned_id_may_be_used_again(own_world: World, by_hand: ByHand) -> None:
    for _ in range(2):
        flow = own_world.flow(id="again")
        flow.add("a", own_world.act())
        run = own_world.run(flow)
        assert run.created
        by_hand.complete(run, "a")
        steering.prune(by_hand.store, run.id, finished_before=_now())


def test_a_late_message_of_a_pruned_workflow_is_dropped(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    run.cancel()
    steering.prune(by_hand.store, run.id, finished_before=_now())
    after = own_world.flow()
    after.add("a", own_world.act())
    own_world.finish(after)
    assert own_world.notes(run) == []
    assert own_world.keys(f"workflow:{{{run.id}}}*") == []


def test_after_its_retention_it_is_gone(valkey_url: str) -> None:
    brief = World(valkey_url, BATON_TEST_RETENTION="1000")
    try:
        flow = brief.flow()
        flow.add("a", brief.act())
        run = brief.finish(flow)
        index = f"{brief.namespace}:index:workflows:completed"
        deadline = time.monotonic() + 30
        while brief.redis.exists(index):  # by then the rescue has forgotten it, or the index has expired
            assert time.monotonic() < deadline
        with pytest.raises(WorkflowNotFound):
            run.status()
        assert brief.keys(f"workflow:{{{run.id}}}*") == []
    finally:
        brief.close()


def test_a_step_whose_dep_was_pruned_is_cancelled(own_world: World) -> None:
    flow = own_world.flow()
    page = flow.add("fetch", own_world.act(["value", 1]))
    flow.add("wait", own_world.act(["wait for", "pruned"]))
    flow.add("use", own_world.act(["inputs"], inputs=[page]), deps="wait")
    own_world.worker  # noqa: B018 - starts it
    run = own_world.run(flow)
    own_world.wait_for_waiting("pruned")
    assert any((event.step, event.event) == ("fetch", "completed") for event in run.events(follow=True))
    own_world.redis.hdel(f"{own_world.namespace}:workflow:{{{run.id}}}:results", "fetch")
    own_world.actors.let_go("pruned")
    status = run.wait(timeout=30_000)
    assert status.state is WorkflowState.CANCELLED
    assert status.steps["use"].state is StepState.CANCELLED
    assert status.steps["use"].reason == "the result of dep 'fetch' is gone"
    assert any(note.startswith("use|on_dep_cancelled|") for note in own_world.notes(run))
