"""A namespace that a cluster would spread over its nodes is refused at once, and the error says how to mend it."""

from __future__ import annotations

import asyncio

import pytest
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import (
    BatonError,
    BatonMiddleware,
    ConfigurationError,
    Workflow,
    get_run,
    get_run_async,
    workflow_actor,
)
from dramatiq_baton.brokers import RedisBroker
from tests.support.cluster import Cluster, ClusterWorld
from tests.support.terminal import piped

REMEDY = r'is a cluster, .* put it into braces: namespace="\{baton\}"'


def test_a_client_of_a_cluster_wants_a_namespace_in_braces(cluster: Cluster) -> None:
    client = cluster.client()
    with pytest.raises(ConfigurationError, match=REMEDY):
        BatonMiddleware(client=client)
    client.close()


def test_so_does_a_url_of_a_node(cluster: Cluster) -> None:
    broker = StubBroker()
    broker.add_middleware(BatonMiddleware(url=cluster.nodes[0].url))
    flow = Workflow("flow")
    flow.add("a", workflow_actor(lambda: None, actor_name="act", broker=broker).message())
    with pytest.raises(ConfigurationError, match=REMEDY):
        flow.run(broker=broker)
    with pytest.raises(ConfigurationError, match=REMEDY):
        asyncio.run(flow.run_async(broker=broker))
    for node in cluster.nodes:  # whether it has the key's slot or not
        with pytest.raises(ConfigurationError, match=REMEDY):
            BatonMiddleware(url=node.url).runtime(broker).store.check_server()


def test_so_does_the_command_line(cluster: Cluster) -> None:
    ended = piped("--url", cluster.nodes[0].url, "list")
    assert ended.returncode == 2
    assert 'put it into braces: namespace="{baton}"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_handle_of_a_workflow_that_another_node_has_is_refused_too(cluster: Cluster) -> None:
    broker = StubBroker()
    ids = ("a", "b", "c", "d")
    owners = {cluster.owner(f"baton:workflow:{{{name}}}").port for name in ids}
    assert len(owners) > 1
    broker.add_middleware(BatonMiddleware(url=cluster.nodes[0].url))

    def look(name: str) -> str:
        with pytest.raises(BatonError) as caught:
            get_run(name, broker)
        with pytest.raises(type(caught.value)):
            asyncio.run(get_run_async(name, broker))
        return str(caught.value)

    assert any("put it into braces" in look(name) for name in ids)


def test_the_fast_path_is_left_where_braces_allow_a_cluster(cluster_world: ClusterWorld) -> None:
    assert isinstance(cluster_world.broker, RedisBroker)
    run = cluster_world.run(flow_of_one(cluster_world))
    assert run._runtime.store.sends_to() == ""
    run.cancel()


def flow_of_one(world: ClusterWorld) -> Workflow:
    flow = world.flow()
    flow.add("a", world.act())
    return flow
