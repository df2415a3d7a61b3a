"""Which workflows there are: newest first, by state, name and age, without looking at all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

import pytest
import redis

from dramatiq_baton import WorkflowNotFound, WorkflowRun, WorkflowState
from dramatiq_baton.store import catalogue, steering, upkeep
from dramatiq_baton.store.catalogue import Entry
from dramatiq_baton.store.store import Address, Store
from dramatiq_baton.store.upkeep import Overdue
from tests.support.by_hand import ByHand
from tests.support.monitor import monitoring
from tests.support.world import World


def _run(world: World, name: str, end: str = "", hand: ByHand | None = None) -> WorkflowRun:
    flow = world.flow(name)
    flow.add("a", world.act())
    run = world.run(flow)
    if hand is not None:
        getattr(hand, end)(run, "a")
    return run


def _found(store: Store, **options: object) -> list[str]:
    return [entry.name for entry in catalogue.entries(store, **options)]  # type: ignore[arg-type]


@pytest.fixture
def four(own_world: World, by_hand: ByHand) -> Iterator[list[WorkflowRun]]:
    """One in each state, the newest first."""
    ends = [("completed", "complete"), ("failed", "discard"), ("cancelled", "cancel")]
    runs = [_run(own_world, name, end, by_hand) for name, end in ends]
    runs.append(_run(own_world, "executing"))
    yield runs[::-1]
    runs[-1].cancel()


def test_the_newest_comes_first(four: list[WorkflowRun], by_hand: ByHand) -> None:
    found = list(catalogue.entries(by_hand.store))
    assert sorted(entry.id for entry in found) == sorted(run.id for run in four)
    created = [(entry.created_at, entry.id) for entry in found]
    assert created == sorted(created, reverse=True)


def test_an_entry_tells_what_the_status_tells(four: list[WorkflowRun], by_hand: ByHand) -> None:
    for run in four:
        (entry,) = [entry for entry in catalogue.entries(by_hand.store) if entry.id == run.id]
        status = run.status()
        assert entry == Entry(
            id=status.id,
            name=status.name,
            state=status.state,
            total=status.total,
            counts=status.counts,
            created_at=status.created_at,
            started_at=status.started_at,
            finished_at=status.finished_at,
        )


@pytest.mark.parametrize("state", WorkflowState)
def test_one_state_is_looked_for_in_its_own_index(
    four: list[WorkflowRun], by_hand: ByHand, state: WorkflowState
) -> None:
    assert _found(by_hand.store, states=[state]) == [str(state)]


def test_several_states_come_in_one_order(four: list[WorkflowRun], by_hand: ByHand) -> None:
    found = _found(by_hand.store, states=[WorkflowState.FAILED, WorkflowState.EXECUTING])
    assert sorted(found) == ["executing", "failed"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*ed", ["cancelled", "completed", "failed"]),
        ("failed", ["failed"]),
        ("F*", []),
        ("*?e?*", ...),
        ("[", []),
    ],
)
def test_names_are_shell_patterns(
    four: list[WorkflowRun], by_hand: ByHand, pattern: str, names: list[str]
) -> None:
    expected = ["cancelled", "completed", "executing", "failed"] if names is ... else names
    assert sorted(_found(by_hand.store, name=pattern)) == expected


def test_ages_are_those_of_the_submission(own_world: World, by_hand: ByHand) -> None:
    runs = []
    for number in range(3):
        runs.append(_run(own_world, f"{number}", "complete", by_hand))
        while time.time() * 1000 <= runs[-1].status().created_at + 1:  # so that no two are of one millisecond
            pass
    created = [run.status().created_at for run in runs]
    assert _found(by_hand.store, since=created[1]) == ["2", "1"]
    assert _found(by_hand.store, until=created[1]) == ["1", "0"]
    assert _found(by_hand.store, since=created[1], until=created[1]) == ["1"]
    assert _found(by_hand.store, since=created[2] + 1) == []


def test_going_on_behind_one_misses_nothing_and_repeats_nothing(own_world: World, by_hand: ByHand) -> None:
    """Also where many are of the same millisecond."""
    runs = [_run(own_world, "x", "complete", by_hand) for _ in range(25)]
    index = f"{own_world.namespace}:index:workflows:completed"
    for number, (member, _) in enumerate(own_world.redis.zrange(index, 0, -1, withscores=True)):
        own_world.redis.zadd(index, {member: 1_000 + number // 10})
        workflow = own_world.redis
        workflow.hset(f"{own_world.namespace}:workflow:{{{member[:32]}}}", "created", 1_000 + number // 10)
    whole = [entry.id for entry in catalogue.entries(by_hand.store)]
    assert sorted(whole) == sorted(run.id for run in runs)
    paged: list[str] = []
    while page := [
        entry.id for entry in islice(catalogue.entries(by_hand.store, after=paged[-1] if paged else None), 7)
    ]:
        paged += page
    assert paged == whole


def test_more_of_one_millisecond_than_are_read_at_a_time(own_world: World, by_hand: ByHand) -> None:
    run = _run(own_world, "x", "complete", by_hand)
    workflow = f"{own_world.namespace}:workflow:"
    copies = [f"{number:04}" for number in range(2 * catalogue.PORTION + 3)]
    pipe = own_world.redis.pipeline(transaction=False)
    for copy in copies:
        pipe.copy(f"{workflow}{{{run.id}}}", f"{workflow}{{{copy}}}")
    pipe.zadd(f"{own_world.namespace}:index:workflows:completed", {f"{copy}\x1fx": 5 for copy in copies})
    pipe.execute()
    assert [entry.id for entry in catalogue.entries(by_hand.store)] == [run.id, *copies[::-1]]


def test_behind_one_that_is_gone_nothing_is_found(own_world: World, by_hand: ByHand) -> None:
    with pytest.raises(WorkflowNotFound, match="'gone'"):
        list(catalogue.entries(by_hand.store, after="gone"))


def test_a_page_costs_the_same_however_many_there_are(own_world: World, by_hand: ByHand) -> None:
    costs = []
    for number in (20, 400):
        run = _run(own_world, "x", "complete", by_hand)
        index = f"{own_world.namespace}:index:workflows:completed"
        own_world.redis.zadd(index, {f"old {n}\x1fx": n for n in range(number * 10)})
        with monitoring(own_world.url, own_world.namespace) as monitor:
            assert next(catalogue.entries(by_hand.store)).id == run.id
            costs.append(len(list(monitor.so_far())))
    assert costs[0] == costs[1]


def test_a_retried_workflow_moves_among_those_that_run_and_back(own_world: World, by_hand: ByHand) -> None:
    run = _run(own_world, "x", "discard", by_hand)
    assert _found(by_hand.store, states=[WorkflowState.FAILED]) == ["x"]
    run.retry()
    assert _found(by_hand.store, states=[WorkflowState.EXECUTING]) == ["x"]
    assert _found(by_hand.store, states=[WorkflowState.FAILED]) == []
    run.cancel()
    assert _found(by_hand.store, states=[WorkflowState.CANCELLED]) == ["x"]
    assert own_world.redis.zcard(f"{own_world.namespace}:index:expiring") == 1


def test_what_expired_is_forgotten_by_the_next_look(own_world: World, by_hand: ByHand) -> None:
    kept, gone = (_run(own_world, name, "complete", by_hand) for name in ("kept", "gone"))
    expiring = f"{own_world.namespace}:index:expiring"
    own_world.redis.delete(*own_world.keys(f"workflow:{{{gone.id}}}*"))
    assert _found(by_hand.store) == ["kept"]  # before it is forgotten, too
    own_world.redis.zadd(expiring, {f"{gone.id}\x1fgone": 1})
    upkeep.sweep(by_hand.store, who="me", alone_for=1000, most=10)
    for index in (expiring, f"{own_world.namespace}:index:workflows:completed"):
        assert own_world.redis.zrange(index, 0, -1) == [f"{kept.id}\x1fkept"]


def test_the_indexes_of_finished_workflows_go_with_the_last_of_them(
    own_world: World, by_hand: ByHand
) -> None:
    _run(own_world, "x", "complete", by_hand)
    for index in ("expiring", "workflows:completed"):
        left = own_world.redis.pttl(f"{own_world.namespace}:index:{index}")
        assert 604_000_000 < left <= 604_800_000
    own_world.redis.pexpire(f"{own_world.namespace}:index:expiring", 900_000_000)
    _run(own_world, "y", "complete", by_hand)
    assert own_world.redis.pttl(f"{own_world.namespace}:index:expiring") > 800_000_000  # never earlier


def test_a_name_with_anything_in_it_is_found_again(own_world: World, by_hand: ByHand) -> None:
    names = ["{braces}", "a:b", "😀", "[bold]x[/bold]", "x" * 200, "*", "\u202egnp"]
    for name in names:
        _run(own_world, name, "complete", by_hand)
    assert sorted(_found(by_hand.store)) == sorted(names)


def test_a_client_that_decodes_reads_the_same(own_world: World, by_hand: ByHand) -> None:
    _run(own_world, "x", "complete", by_hand)
    client = redis.Redis.from_url(own_world.url, decode_responses=True)
    store = Store(client, namespace=own_world.namespace)
    assert _found(store) == ["x"]
    store.connections.close()
    client.close()


@pytest.mark.parametrize("workflow_id", ["plain", "a*b?[c]\\^", "^x", "😀"])
def test_one_that_was_deleted_while_it_ran_is_forgotten_by_the_rescue(
    own_world: World, by_hand: ByHand, workflow_id: str
) -> None:
    for name in (workflow_id, f"{workflow_id}-other", "a-b-c"):
        flow = own_world.flow(id=name)
        flow.add("a", own_world.act())
        own_world.run(flow)
    catalogue.forget(by_hand.store, workflow_id)
    assert len(_found(by_hand.store)) == 3  # it is still there
    own_world.redis.delete(*(key for key in own_world.keys("workflow:{*") if f"{{{workflow_id}}}" in key))
    lost = Overdue(Address(workflow_id, "a"), own_world.actors.QUEUE)
    assert upkeep.resend(by_hand.store, lost).word == "unknown"  # that is how the rescue comes to it
    catalogue.forget(by_hand.store, workflow_id)
    index = f"{own_world.namespace}:index:workflows:executing"
    left = {member.partition("\x1f")[0] for member in own_world.redis.zrange(index, 0, -1)}
    assert left == {f"{workflow_id}-other", "a-b-c"}
    for name in left:
        steering.cancel(by_hand.store, name, "", interrupt=False)


def test_what_was_finished_or_deleted_unbeknownst_to_it_is_filed_from_time_to_time(
    own_world: World, by_hand: ByHand
) -> None:
    finished, deleted, running = (_run(own_world, name) for name in "abc")
    by_hand.complete(finished, "a")
    namespace = own_world.namespace
    as_running = {f"{finished.id}\x1f{finished.name}": finished.status().created_at}
    own_world.redis.zadd(f"{namespace}:index:workflows:executing", as_running)
    own_world.redis.delete(f"{namespace}:index:workflows:completed", f"{namespace}:index:expiring")
    own_world.redis.delete(*own_world.keys(f"workflow:{{{deleted.id}}}*"))
    catalogue.tidy(by_hand.store, most=100)
    assert [entry.id for entry in catalogue.entries(by_hand.store)] == [running.id, finished.id]
    assert own_world.redis.zcard(f"{namespace}:index:workflows:executing") == 1
    assert own_world.redis.zcard(f"{namespace}:index:expiring") == 1
    running.cancel()
    own_world.redis.delete(*own_world.keys("index:queued:*"))
