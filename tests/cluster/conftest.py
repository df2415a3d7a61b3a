"""A real cluster of three nodes, and worlds whose state lies on it; messages are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster, ClusterWorld, cluster
from tests.support.own import leaving_nothing
from tests.support.servers import machine_rabbitmq_url

__all__ = ["brokered_world", "cluster", "cluster_world"]


@pytest.fixture
def cluster_world(
    cluster: Cluster,
    valkey_url: str,
) -> Iterator[ClusterWorld]:
    """A namespace of the test's own, with messages on another server. No worker but those that the test starts."""
    with leaving_nothing(ClusterWorld(cluster, valkey_url, BATON_TEST_BROKER="fast")) as world:
        assert isinstance(world, ClusterWorld)
        yield world


@pytest.fixture(params=["rabbitmq", "redis"])
def brokered_world(
    request: pytest.FixtureRequest, cluster: Cluster, valkey_url: str
) -> Iterator[ClusterWorld]:
    """The same, with each broker in turn."""
    if request.param == "rabbitmq":
        env = {"BATON_TEST_BROKER": "rabbitmq", "BATON_TEST_RABBITMQ_URL": machine_rabbitmq_url()}
    else:
        env = {"BATON_TEST_BROKER": "redis"}
    with leaving_nothing(ClusterWorld(cluster, valkey_url, **env)) as world:
        assert isinstance(world, ClusterWorld)
        yield world
        world.stop_worker()
        world.delete_queues()
