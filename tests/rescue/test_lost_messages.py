"""The rescue of queued steps whose message is gone from the broker, or was there all the time."""

from __future__ import annotations

from typing import Any

from dramatiq_baton import WorkflowRun
from dramatiq_baton.rescue import PORTION
from tests.support.lab import Log
from tests.support.rescuing import Rescuing


def test_a_queued_step_whose_message_is_gone_is_sent_again(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b"))
    rescuing.pass_time()
    assert sorted(rescuing.look()) == ["a", "b"]
    rescuing.finish(run)
    assert run.results() == {"a": "a", "b": "b"}
    assert run.status().steps["a"].attempt == 1


def test_a_queued_step_whose_message_is_there_all_the_time_runs_once(rescuing: Rescuing) -> None:
    run = rescuing.lab.run(rescuing.flow("a"))
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    rescuing.finish(run)
    assert rescuing.lab.notes == ["ran"]
    assert rescuing.lab.events_of(run, "a")[:2] == ["executing", "completed"]
    assert run.status().steps["a"].attempt == 1


def test_a_step_that_was_given_back_by_a_stopping_worker_and_lost_then_is_sent_again(
    rescuing: Rescuing,
) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.put_off(run, "a", "queued")
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    rescuing.finish(run)
    assert run.result("a") == "a"


def test_one_look_finds_all_however_many_there_are(rescuing: Rescuing) -> None:
    names = [f"s{i}" for i in range(2 * PORTION + 50)]
    rescuing.run_and_lose(rescuing.flow(*names))
    rescuing.pass_time()
    assert sorted(rescuing.look()) == sorted(names)


def test_steps_of_every_queue_are_found(rescuing: Rescuing) -> None:
    lab = rescuing.lab

    @lab.actor(queue_name="another")
    def elsewhere() -> None: ...

    flow = rescuing.flow("a")
    flow.add("b", elsewhere.message())
    lab.run(flow)
    rescuing.pass_time()
    assert sorted(rescuing.look()) == ["a", "b"]


def test_what_is_left_of_a_workflow_that_was_deleted_is_forgotten(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b", "c"))
    rescuing.hand.claim(run, "b")
    rescuing.put_off(run, "c", "snoozed")
    rescuing.pass_time()
    rescuing.redis.delete(*rescuing.world.keys("workflow:{*"))
    assert rescuing.look() == []
    assert rescuing.indexed() == []


def _damage(rescuing: Rescuing, run: WorkflowRun) -> None:
    """As another program does that writes to our keys."""
    state = f"{rescuing.store.keys.workflow(run.id)}:state"
    rescuing.redis.delete(state)
    rescuing.redis.set(state, "no hash")


def test_a_workflow_that_cant_be_read_keeps_no_other_from_being_rescued(rescuing: Rescuing) -> None:
    damaged = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.run_and_lose(rescuing.flow("b"))
    rescuing.pass_time()
    _damage(rescuing, damaged)
    assert rescuing.look() == ["b"]


def test_a_look_ends_even_if_nothing_of_what_it_finds_can_be_mended(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow(*[f"s{i}" for i in range(PORTION)]))
    rescuing.pass_time()
    _damage(rescuing, run)
    assert rescuing.look() == []


def test_what_a_newer_release_wrote_is_left_to_its_own_workers(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b", "c"))
    rescuing.hand.claim(run, "b")
    rescuing.put_off(run, "c", "snoozed")
    rescuing.redis.zadd(f"{rescuing.world.namespace}:index:spreading", {run.id: 0})
    rescuing.pass_time()
    rescuing.redis.hset(rescuing.store.keys.workflow(run.id), "v", "3")
    before = rescuing.indexed()
    assert rescuing.look() == []
    assert rescuing.indexed() == before
    assert len(before) == 4


def test_a_worker_finds_by_itself_what_the_broker_lost(make_rescuing: Any) -> None:
    rescuing = make_rescuing(lease_ttl=300, rescue_interval=100)
    run = rescuing.run_and_lose(rescuing.flow("a", "b", deps={"b": "a"}))
    rescuing.finish(run)
    assert run.results() == {"a": "a", "b": "b"}


def test_an_entry_that_baton_did_not_write_is_told_of_once_and_hides_no_other(
    rescuing: Rescuing, log: Log
) -> None:
    run = rescuing.run_and_lose(rescuing.flow("lost"))
    index = f"{rescuing.world.namespace}:index"
    rescuing.redis.zadd(f"{index}:queued:q", {f"{run.id}\x1flost": 0, "foreign": 0})
    rescuing.redis.zadd(f"{index}:leases", {"foreign, too": 0})
    assert rescuing.look() == ["lost"]
    rescuing.look()
    assert len(log.lines("an index holds what Baton didn't write")) == 2
    rescuing.redis.zrem(f"{index}:queued:q", "foreign")
    rescuing.redis.zrem(f"{index}:leases", "foreign, too")
