"""The slot of a namespace moves to another node, or its node to a replica, while workflows run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from dramatiq_baton import StoreUnavailable, WorkflowRun, WorkflowState
from dramatiq_baton.store import routes
from tests.support.cluster import Cluster, ClusterWorld, Move
from tests.support.nodes import Node, until
from tests.support.own import leaving_nothing
from tests.support.story import violations

WORDS = ("TRYAGAIN", "ASK", "MOVED")


def submit(world: ClusterWorld, number: int) -> WorkflowRun:
    flow = world.flow(f"flow {number}")
    root = flow.add("root", world.act(["run"]))
    parts = [flow.add(f"part{i}", world.act(["snooze", 20], ["run"]), deps=root) for i in range(3)]
    flow.add("end", world.act(["inputs"], inputs=[root, *parts]))
    return world.run(flow)


def assert_all_is_well(runs: list[WorkflowRun]) -> None:
    for run in runs:
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
        assert run.result("end") == [1, 2, 2, 2]
        assert violations(run.status(), list(run.events()), lease_ttl=3000) == []


def refusals(node: Node, *words: str) -> int:
    """How many commands a node has refused with one of these words."""
    with node.client() as client:
        stats = client.info("errorstats")
    return sum(int(stats[f"errorstat_{word}"]["count"]) for word in words if f"errorstat_{word}" in stats)


@pytest.mark.parametrize("way", ["key by key", "at once"])
def test_a_slot_moves_while_workflows_run(cluster: Cluster, cluster_world: ClusterWorld, way: str) -> None:
    stop = threading.Event()
    runs: list[WorkflowRun] = []

    def submit_until_told() -> None:
        while not stop.is_set():
            runs.append(submit(cluster_world, len(runs)))

    with cluster_world.worker_running(), ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(submit_until_told)
        try:
            until(lambda: len(runs) > 3 or submitting.done(), "submitted")
            for _ in range(3):
                if way == "key by key":
                    cluster.move(cluster_world.namespace)
                else:
                    move_at_once(cluster, cluster_world.namespace)
                before = len(runs)
                until(lambda: len(runs) > before + 2 or submitting.done(), "submitted more")  # noqa: B023
        finally:
            stop.set()
        submitting.result()
        assert_all_is_well(runs)


def move_at_once(cluster: Cluster, key: str) -> None:
    move = Move(cluster, key)
    with move.source.client() as client:
        try:
            client.execute_command(
                *("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", move.slot, move.slot),
                *("NODE", cluster.id_of(move.target)),
            )
        except redis.ResponseError as error:
            pytest.skip(f"this server can't move slots at once: {error}")
    until(lambda: cluster.owner(key) is move.target, "moved")


@pytest.fixture
def half_moved(cluster: Cluster, cluster_world: ClusterWorld) -> Iterator[tuple[WorkflowRun, Move]]:
    """A workflow half of whose keys have moved to another node."""
    with cluster_world.worker_running():
        run = submit(cluster_world, 0)
        run.wait(timeout=30_000)
    move = Move(cluster, cluster_world.namespace)
    move.begin()
    assert move.take(len(cluster_world.keys()) // 2)
    yield run, move
    move.end()


def stored(run: WorkflowRun, move: Move) -> dict[str, bytes]:
    """What both nodes hold of a workflow."""
    found = {}
    for node in (move.source, move.target):
        with redis.Redis(port=node.port) as client:
            for key in client.scan_iter(f"*{run.id}*", count=1000):
                client.execute_command("ASKING")
                found[key.decode()] = client.execute_command("DUMP", key)
    return found


def test_scripts_wait_until_all_keys_have_moved(half_moved: tuple[WorkflowRun, Move]) -> None:
    run, move = half_moved
    before, refused = stored(run, move), refusals(move.source, *WORDS)
    assert len(before) > 2
    with ThreadPoolExecutor(1) as pool:
        cancelling = pool.submit(run.cancel, "too late")
        until(lambda: refusals(move.source, *WORDS) > refused + 3, "refused")
        assert not cancelling.done()
        assert stored(run, move) == before
        move.end()
        cancelling.result(timeout=30)
    assert run.status().state is WorkflowState.COMPLETED


def test_so_do_asynchronous_callers(half_moved: tuple[WorkflowRun, Move]) -> None:
    run, move = half_moved

    async def call() -> WorkflowState:
        reading = asyncio.create_task(run.status_async())
        refused = refusals(move.source, *WORDS)
        await asyncio.to_thread(until, lambda: refusals(move.source, *WORDS) > refused + 3, "refused")
        assert not reading.done()
        await asyncio.to_thread(move.end)
        return (await reading).state

    assert asyncio.run(call()) is WorkflowState.COMPLETED


def test_a_slot_that_does_not_come_to_rest_is_a_clear_error(
    half_moved: tuple[WorkflowRun, Move], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = half_moved
    monkeypatch.setattr(routes, "PATIENCE", 0.2)
    with pytest.raises(StoreUnavailable, match="doesn't answer"):
        run.cancel()
    with pytest.raises(StoreUnavailable, match="doesn't answer"):
        asyncio.run(run.cancel_async())


def test_who_waits_is_woken_on_the_other_node(cluster: Cluster, cluster_world: ClusterWorld) -> None:
    flow = cluster_world.flow()
    flow.add("a", cluster_world.act(["wait for", "the move"]))
    run = cluster_world.run(flow)
    with cluster_world.worker_running(), ThreadPoolExecutor(2) as pool:
        waits = [
            pool.submit(run.wait, 60_000),
            pool.submit(lambda: asyncio.run(run.wait_async(timeout=60_000))),
        ]
        source = cluster.owner(cluster_world.namespace)
        until(lambda: blocked(source) == 2, "blocked")
        cluster.move(cluster_world.namespace)
        until(lambda: blocked(cluster.owner(cluster_world.namespace)) == 2, "blocked on the other node")
        cluster_world.actors.let_go("the move")
        assert {wait.result(60).state for wait in waits} == {WorkflowState.COMPLETED}


def blocked(node: Node) -> int:
    with node.client() as client:
        return int(client.info("clients")["blocked_clients"])


# Replicas ---------------------------------------------------------------------------------------


@pytest.fixture
def replicated_world(valkey_url: str) -> Iterator[ClusterWorld]:
    """A world whose state lies on a node that has a replica."""
    cluster = Cluster(replicas=1)
    try:
        world = ClusterWorld(cluster, valkey_url)
        while cluster.owner(world.namespace) is not cluster.nodes[0]:
            world.close()
            world = ClusterWorld(cluster, valkey_url)
        with leaving_nothing(world):
            yield world
    finally:
        cluster.close()


def test_a_replica_takes_over_when_it_is_told_to(replicated_world: ClusterWorld) -> None:
    world, cluster = replicated_world, replicated_world.cluster
    (replica,) = cluster.replicas
    with world.worker_running():
        runs = [submit(world, number) for number in range(5)]
        with replica.client() as client:
            client.execute_command("CLUSTER", "FAILOVER")
        until(lambda: cluster.owner(world.namespace) is replica, "failed over")
        runs += [submit(world, number) for number in range(5)]
        assert_all_is_well(runs)


def test_a_replica_takes_over_when_its_node_dies(replicated_world: ClusterWorld) -> None:
    world, cluster = replicated_world, replicated_world.cluster
    flow = world.flow()
    flow.add("a", world.act(["run after", "the death"]))
    flow.add("b", world.act(["run"]), deps="a")
    with world.worker_running():
        run = world.run(flow)
        world.wait_for_waiting("the death")
        dead = cluster.nodes[0]
        with dead.client() as client:
            assert client.wait(1, 30_000) == 1  # a replica has all that was acknowledged
        dead.kill()
        until(lambda: cluster.owner(world.namespace) is cluster.replicas[0], "failed over")
        world.actors.let_go("the death")
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
        assert asyncio.run(run.status_async()).state is WorkflowState.COMPLETED
    assert run.results() == {"a": 1, "b": 1}
