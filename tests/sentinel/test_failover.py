"""State that a sentinel leads to: when the master dies, everything finishes on the new one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.sentinel import Sentinel

from dramatiq_baton import (
    BatonMiddleware,
    ConfigurationError,
    StoreUnavailable,
    WorkflowRun,
    WorkflowState,
    get_run,
)
from tests.support.nodes import Node, until
from tests.support.own import MakeLab, make_lab, own_world  # noqa: F401
from tests.support.sentinels import SERVICE, Sentinels, SentinelWorld
from tests.support.world import World


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    sentinels = Sentinels()
    yield sentinels
    sentinels.close()


@pytest.fixture(params=["messages elsewhere", "messages with the state"])
def world(request: pytest.FixtureRequest, sentinels: Sentinels, valkey_url: str) -> Iterator[SentinelWorld]:
    elsewhere = {"BATON_TEST_BROKER": "redis", "BATON_TEST_BROKER_URL": valkey_url}
    with_it = {"BATON_TEST_BROKER": "fast"}
    world = SentinelWorld(
        sentinels, valkey_url, **(elsewhere if request.param == "messages elsewhere" else with_it)
    )
    yield world
    left = world.left_behind()
    world.close()
    assert not left


def submit(world: World, number: int) -> WorkflowRun:
    flow = world.flow(f"flow {number}")
    root = flow.add("root", world.act(["busy", 50]))
    parts = [flow.add(f"part{i}", world.act(["busy", 20], inputs=root)) for i in range(3)]
    flow.add("end", world.act(["value", "done"]), deps=parts)
    return world.run(flow)


def test_workflows_finish_on_the_new_master(world: SentinelWorld, sentinels: Sentinels) -> None:
    with world.worker_running():
        runs = [submit(world, number) for number in range(20)]
        runs[0].wait(timeout=30_000)
        sentinels.replicate()  # what is acknowledged later may be lost with the master, and is done again
        sentinels.master.kill()
        sentinels.wait_for_master(sentinels.replica)
        runs += [submit(world, number) for number in range(20, 25)]
        for run in runs:
            assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
            assert asyncio.run(run.result_async("end")) == "done"
            assert list(run.events())[-1].event == "workflow_finished"


def test_while_there_is_no_master_callers_hear_so_and_may_try_again(
    sentinels: Sentinels, valkey_url: str
) -> None:
    world = SentinelWorld(sentinels, valkey_url, BATON_TEST_BROKER="stub")
    run = submit(world, 0)
    sentinels.replicate()
    with sentinels.sentinel.client() as client:
        client.execute_command("SENTINEL", "SET", SERVICE, "down-after-milliseconds", "600000")
        sentinels.master.kill()
        with pytest.raises(
            StoreUnavailable, match="Redis at the master 'state' of the sentinels doesn't answer"
        ):
            run.status()
        with pytest.raises(
            StoreUnavailable, match="Redis at the master 'state' of the sentinels doesn't answer"
        ):
            asyncio.run(run.status_async())
        client.execute_command("SENTINEL", "SET", SERVICE, "down-after-milliseconds", "500")
    sentinels.wait_for_master(sentinels.replica)
    assert run.status().total == 5
    assert asyncio.run(run.status_async()).total == 5
    world.close()


def test_a_master_that_has_become_a_replica_is_asked_no_more(sentinels: Sentinels, valkey_url: str) -> None:
    """Its connections stand, but what it is asked to write it refuses: nothing is carried out, so it is asked again."""
    world = SentinelWorld(sentinels, valkey_url, BATON_TEST_BROKER="stub")
    blocking, awaiting = submit(world, 0), submit(world, 1)
    assert asyncio.run(awaiting.status_async()).total == blocking.status().total
    with sentinels.master.client() as client, ThreadPoolExecutor(2) as pool:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        before = refusals(sentinels.master)
        calls = [
            pool.submit(blocking.cancel),
            pool.submit(lambda: asyncio.run(awaiting.cancel_async())),
        ]
        until(lambda: refusals(sentinels.master) > before + 4, "refused")
        assert not any(call.done() for call in calls)
        client.execute_command("REPLICAOF", "NO", "ONE")
        for call in calls:
            call.result(30)
    assert blocking.status().state is WorkflowState.CANCELLED
    assert awaiting.status().state is WorkflowState.CANCELLED
    world.close()


def refusals(node: Node) -> int:
    """How many commands a node has refused. (What it calls it in scripts differs from version to version.)"""
    with node.client() as client:
        return int(client.info("stats")["total_error_replies"])


def test_a_client_that_goes_to_replicas_is_refused(sentinels: Sentinels, make_lab: MakeLab) -> None:  # noqa: F811
    client = Sentinel([("127.0.0.1", sentinels.sentinel.port)]).slave_for(SERVICE)
    lab = make_lab(client=client)
    with pytest.raises(
        ConfigurationError, match=r"goes to replicas.*master_for\(\) in place of slave_for\(\)"
    ):
        get_run("any", lab.broker)
    client.close()


def test_connections_of_a_users_own_class_are_refused(sentinels: Sentinels, make_lab: MakeLab) -> None:  # noqa: F811
    class Own(redis.sentinel.SentinelManagedConnection):
        pass

    client = sentinels.client(connection_class=Own)
    lab = make_lab(client=client)
    with pytest.raises(ConfigurationError, match="can't be used; make it with"):
        get_run("any", lab.broker)
    client.close()


def test_the_fast_path_is_taken_where_broker_and_state_have_the_same_sentinels(
    sentinels: Sentinels,
    make_lab: MakeLab,  # noqa: F811
) -> None:
    from dramatiq_baton.brokers import RedisBroker

    client = sentinels.client()
    for state, fast in ((client, True), (sentinels.client(), False), (None, True)):
        broker = RedisBroker(client=client, middleware=[])
        baton = BatonMiddleware(client=state)
        broker.add_middleware(baton)
        assert bool(baton.runtime(broker).store.sends_to()) is fast
        baton.runtime(broker).store.connections.close()
    client.close()
