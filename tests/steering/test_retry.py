"""``run.retry()``: a finished workflow is resumed where it failed."""

from __future__ import annotations

import pytest

from dramatiq_baton import (
    BatonError,
    StepState,
    WorkflowNotFound,
    WorkflowRun,
    WorkflowRunning,
    WorkflowState,
)
from dramatiq_baton.store import steering, upkeep
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import Lease
from tests.support import story
from tests.support.by_hand import ByHand, send_message
from tests.support.world import World


def _failed(world: World, dispatch: str = "ready") -> WorkflowRun:
    """A workflow that failed in the middle, and won't the second time."""
    flow = world.flow()
    page = flow.add("fetch", world.act(["run"]))
    flow.add(
        "parse",
        world.act(["fail", "one"], ["fail", "two"], ["discard", "no such page"], ["run"]),
        deps="fetch",
    )
    flow.add("count", world.act(["run"]), deps="fetch")
    flow.add("store", world.act(["inputs"], inputs=[page]), deps=["parse", "count"])
    flow.add("tidy", world.act(["run"]), deps="parse", ignore_discarded=True)
    world.worker  # noqa: B018 - starts it
    run = world.run(flow, dispatch=dispatch)
    run.wait(timeout=30_000)
    return run


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_what_failed_runs_again_and_what_completed_does_not(world: World, dispatch: str) -> None:
    run = _failed(world, dispatch)
    assert run.status().state is WorkflowState.FAILED
    assert run.retry() == 2
    status = run.wait(timeout=30_000)
    assert status.state is WorkflowState.COMPLETED
    assert run.results() == {"fetch": 1, "parse": 4, "count": 1, "store": [1], "tidy": 1}
    assert {step: world.runs_of(run, step) for step in status.steps} == {
        "fetch": 1, "parse": 4, "count": 1, "store": 1, "tidy": 1
    }  # fmt: skip


def test_its_events_tell_of_two_runs(world: World) -> None:
    run = _failed(world)
    run.retry()
    run.wait(timeout=30_000)
    events = [event for event in run.events() if not event.step]
    assert [(event.event, event.outcome) for event in events] == [
        ("workflow_started", ""),
        ("workflow_finished", "failed"),
        ("workflow_started", ""),
        ("workflow_finished", "completed"),
    ]
    first, _, second, _ = events
    status = run.status()
    assert (status.created_at, status.started_at) == (first.ts, second.ts)


def test_retries_are_fresh_and_attempts_go_on_counting(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(*[["fail", f"{n}"] for n in range(5)], ["attempt"]))
    run = own_world.finish(flow)
    assert own_world.events_of(run, "a")[-1] == "discarded"  # max_retries=2
    assert run.retry() == 1
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.result("a") == 6


def test_what_fails_again_can_be_retried_again(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["discard", "one"], ["discard", "two"], ["value", "three"]))
    flow.add("b", own_world.act(["value", "b"]), deps="a")
    run = own_world.finish(flow)
    assert run.retry() == 2
    assert run.wait(timeout=30_000).state is WorkflowState.FAILED
    assert run.status().steps["a"].reason == "two"
    assert run.retry() == 2
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.results() == {"a": "three", "b": "b"}


def test_deaths_of_workers_are_forgotten_too(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)

    def die(seq: int) -> str:
        """Its worker dies, and the rescue finds it."""
        token = by_hand.claim(run, "a", seq=seq).token
        lease = Lease(Address(run.id, "a"), token)
        own_world.redis.zadd(f"{own_world.namespace}:index:leases", {f"{run.id}\x1fa\x1f{token}": 1})
        return upkeep.expire(by_hand.store, lease, max_rescues=2).word

    assert [die(0), die(1)] == ["queued", "discarded"]
    assert run.retry() == 1
    assert [die(2), die(3)] == ["queued", "discarded"]


def test_callbacks_are_run_again_if_the_dep_fails_again(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["discard", "one"], ["discard", "two"]))
    flow.add("b", own_world.act(), deps="a")
    run = own_world.finish(flow)
    run.retry()
    run.wait(timeout=30_000)
    assert own_world.notes(run) == [
        "a|run|1",
        "b|on_dep_discarded|dep 'a' was discarded: one",
        "a|run|2",
        "b|on_dep_discarded|dep 'a' was discarded: two",
    ]


def test_a_workflow_that_still_runs_is_not_retried(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "a")
    before = own_world.dump(run.id)
    with pytest.raises(WorkflowRunning, match=f"'{run.id}' still runs"):
        run.retry()
    assert own_world.dump(run.id) == before
    assert issubclass(WorkflowRunning, BatonError)
    assert issubclass(WorkflowRunning, ValueError)
    by_hand.complete(run, "b")
    assert run.retry() == 1
    run.cancel()


def test_a_workflow_that_completed_has_nothing_to_retry(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.complete(run, "a")
    before = own_world.dump(run.id)
    assert run.retry() == 0
    assert own_world.dump(run.id) == before


def test_its_data_lives_again_while_it_runs(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act())
    run = own_world.run(flow)
    by_hand.complete(run, "a")
    by_hand.discard(run, "b")
    assert all(own_world.redis.ttl(key) > 0 for key in own_world.keys(f"workflow:{{{run.id}}}*"))
    run.retry()
    assert all(own_world.redis.ttl(key) == -1 for key in own_world.keys(f"workflow:{{{run.id}}}*"))
    run.cancel()
    assert all(own_world.redis.ttl(key) > 0 for key in own_world.keys(f"workflow:{{{run.id}}}*"))


def test_a_message_of_the_earlier_run_starts_nothing(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["discard", "one"], ["after", "go", ["value", 2]]))
    run = own_world.finish(flow)
    run.retry()
    own_world.wait_for_waiting("go")
    for seq in (0, 0):
        send_message(own_world, run, "a", seq=seq)
    own_world.actors.let_go("go")
    run.wait(timeout=30_000)
    after = own_world.flow()
    after.add("a", own_world.act())
    own_world.finish(after)
    assert own_world.runs_of(run, "a") == 2
    assert story.violations(run.status(), list(run.events()), lease_ttl=0, runs=2) == []


def test_a_large_one_is_resumed_whole(own_world: World, by_hand: ByHand) -> None:
    width = 1_000
    flow = own_world.flow()
    flow.add("root", own_world.act(["value", 1]))
    flow.add("bad", own_world.act(["value", 1]))
    for number in range(width):
        flow.add(f"{number}", own_world.actors.act_async.message([["value", 1]]), deps=["root", "bad"])
    flow.add(
        "join",
        own_world.actors.act_async.message([["value", 1]]),
        deps=[f"{number}" for number in range(width)],
    )
    run = own_world.run(flow)
    by_hand.complete(run, "root", 1)
    by_hand.discard(run, "bad")
    assert run.status().counts == {
        StepState.COMPLETED: 1,
        StepState.DISCARDED: 1,
        StepState.CANCELLED: width + 1,
    }
    assert run.retry() == width + 2
    assert run.status().counts == {StepState.COMPLETED: 1, StepState.QUEUED: 1, StepState.PENDING: width + 1}
    own_world.worker  # noqa: B018 - starts it
    assert run.wait(timeout=60_000).counts == {StepState.COMPLETED: width + 3}


def test_what_nobody_sends_here_a_worker_sends_at_once(own_world: World, by_hand: ByHand) -> None:
    """As the command line does, which has no broker."""
    with own_world.worker_running(env={"BATON_TEST_LEASE_TTL": "3600000"}):
        flow = own_world.flow()
        flow.add("a", own_world.act(["discard", "one"], ["value", 2]))
        run = own_world.run(flow)
        run.wait(timeout=30_000)
        number, _ = steering.begin_retry(by_hand.store, run.id)
        assert number == 1
        assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED


def test_a_workflow_that_is_gone_is_not_found(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "a")
    own_world.redis.delete(*own_world.keys(f"workflow:{{{run.id}}}*"))
    with pytest.raises(WorkflowNotFound, match=run.id):
        run.retry()
