"""However a client of a cluster is made, Baton goes where it goes, as who it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from dramatiq.brokers.stub import StubBroker
from redis.cluster import LoadBalancingStrategy

from dramatiq_baton import (
    BatonMiddleware,
    ConfigurationError,
    Workflow,
    get_run,
    get_run_async,
    workflow_actor,
)
from tests.support.acl import FOR_CLUSTERS, RULES
from tests.support.brokers import hang_up
from tests.support.cluster import Cluster, ClusterWorld
from tests.support.terminal import piped

SECRET = "t0p-s3cret"


@pytest.fixture
def guarded(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with a user of its own, who may do everything."""
    for node in cluster.nodes:
        with node.client() as client:
            client.execute_command("ACL", "SETUSER", "ann", "on", f">{SECRET}", "~*", "&*", "+@all")
    yield cluster
    for node in cluster.nodes:
        with node.client() as client:
            client.execute_command("ACL", "DELUSER", "ann")


Made = dict[str, Any]
WAYS: dict[str, Callable[[Cluster, int], Made]] = {
    "nodes": lambda cluster, number: {"client": cluster.client(decode_responses=True)},
    "a url of the cluster": lambda cluster, number: {
        "client": redis.RedisCluster.from_url(cluster.nodes[number].url)
    },
    "a user and a password": lambda cluster, number: {
        "client": cluster.client(username="ann", password=SECRET)
    },
    "one that reads from replicas": lambda cluster, number: {
        "client": cluster.client(load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN)
    },
    "a url of a node": lambda cluster, number: {
        "url": cluster.nodes[number].url.replace("//", f"//ann:{SECRET}@")
    },
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_it_goes_where_the_client_goes(
    guarded: Cluster, cluster_world: ClusterWorld, way: Callable[[Cluster, int], Made]
) -> None:
    for number in range(3):  # whichever node is known
        broker = StubBroker()
        broker.add_middleware(BatonMiddleware(**way(guarded, number), namespace=cluster_world.namespace))
        flow = Workflow("flow")
        act = workflow_actor(lambda: None, actor_name="act", broker=broker)
        flow.add("a", act.message(), delay=3_600_000)
        run = flow.run(broker=broker)
        assert cluster_world.keys(f"workflow:{{{run.id}}}*")

        async def look(run_id: str = run.id, broker: StubBroker = broker) -> int:
            return (await (await get_run_async(run_id, broker)).status_async()).total

        assert asyncio.run(look()) == get_run(run.id, broker).status().total == 1
        run.cancel()
        hang_up(broker)


def test_a_password_that_is_refused_is_not_shown(guarded: Cluster) -> None:
    client = guarded.client(username="ann", password=SECRET)
    broker = StubBroker()
    broker.add_middleware(BatonMiddleware(client=client, namespace="{baton}"))
    for node in guarded.nodes:
        with node.client() as admin:
            admin.execute_command("ACL", "SETUSER", "ann", "resetpass", ">another")
    for call in (lambda: get_run("any", broker), lambda: asyncio.run(get_run_async("any", broker))):
        with pytest.raises(ConfigurationError, match="refuses the credentials") as caught:
            call()
        assert SECRET not in str(caught.value)
    assert SECRET not in repr(broker.middleware)
    hang_up(broker)


def test_a_user_with_the_rights_of_the_guide_gets_along(
    cluster: Cluster, cluster_world: ClusterWorld
) -> None:
    names = ("submitter", "watcher")
    for node in cluster.nodes:
        with node.client() as admin:
            for name in names:
                rules = [rule.replace("~baton:", f"~{cluster_world.namespace}:") for rule in RULES[name]]
                admin.execute_command("ACL", "SETUSER", name, *rules, *FOR_CLUSTERS)
    client = cluster.client(username="submitter", password="SUBMITTER-PASSWORD")
    broker = StubBroker()
    broker.add_middleware(BatonMiddleware(client=client, namespace=cluster_world.namespace))
    flow = Workflow("flow")
    flow.add("a", workflow_actor(lambda: None, actor_name="act", broker=broker).message(), delay=3_600_000)
    run = flow.run(broker=broker)
    for node in cluster.nodes:
        url = node.url.replace("//", "//watcher:WATCHER-PASSWORD@")
        shown = piped("--url", url, "--namespace", cluster_world.namespace, "show", run.id)
        assert (shown.returncode, shown.stderr) == (0, "")
    run.cancel()
    hang_up(broker)
    for node in cluster.nodes:
        with node.client() as admin:
            admin.execute_command("ACL", "DELUSER", *names)
