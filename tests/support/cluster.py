"""A real cluster of three nodes, and a world whose state lies on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from redis.cluster import ClusterNode, key_slot

from .nodes import Node, port_with_bus, until
from .world import World

SLOTS = 16_384


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of the session's own."""
    cluster = Cluster()
    yield cluster
    cluster.close()


class Cluster:
    """Nodes that have a third of the slots each.

    Parameters:
      replicas: How many replicas the first node has.
      settings: More settings of all nodes.
    """

    def __init__(self, *, replicas: int = 0, **settings: str) -> None:
        self._settings = settings
        self.nodes = [self._node() for _ in range(3)]
        self.replicas = [self._node() for _ in range(replicas)]
        try:
            self._form()
        except BaseException:
            self.close()
            raise

    def _form(self) -> None:
        share = -(-SLOTS // 3)
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                slots = range(number * share, min((number + 1) * share, SLOTS))
                client.execute_command("CLUSTER", "ADDSLOTS", *slots)
        first = self.nodes[0]
        with first.client() as client:
            for node in self.everyone[1:]:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        until(lambda: all(self._knows_all(node) for node in self.everyone), "a cluster")
        for node in self.replicas:
            with node.client() as client:
                client.execute_command("CLUSTER", "REPLICATE", self.id_of(first))
                until(lambda: client.info("replication")["master_link_status"] == "up", "a replica")

    def _node(self) -> Node:
        return Node(
            port=port_with_bus(), cluster_enabled="yes", cluster_node_timeout="1000", **self._settings
        )

    @property
    def everyone(self) -> list[Node]:
        return [*self.nodes, *self.replicas]

    @property
    def addresses(self) -> str:
        """As ``BATON_TEST_CLUSTER`` has it."""
        return " ".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def _knows_all(self, node: Node) -> bool:
        with node.client() as client:
            info = client.execute_command("CLUSTER", "INFO").splitlines()
            links = client.execute_command("CLUSTER", "NODES").splitlines()
        everyone = len(self.everyone)
        return (
            "cluster_state:ok" in info
            and len(links) == everyone
            and all(" connected" in link for link in links)
        )

    def client(self, **settings: Any) -> redis.RedisCluster:
        nodes = [ClusterNode("127.0.0.1", node.port) for node in self.nodes]
        return redis.RedisCluster(startup_nodes=nodes, **settings)

    def id_of(self, node: Node) -> str:
        with node.client() as client:
            return str(client.execute_command("CLUSTER", "MYID"))

    def owner(self, key: str) -> Node:
        """The node that has a key's slot."""
        slot = key_slot(key.encode())
        for node in [node for node in self.nodes if node.process is not None]:
            with node.client() as client:
                for first, last, (_, port, *_), *_ in _slots(client):
                    if first <= slot <= last:
                        return next(node for node in self.everyone if node.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def another(self, node: Node) -> Node:
        """The node behind this one."""
        return self.nodes[(self.nodes.index(node) + 1) % len(self.nodes)]

    def move(self, key: str) -> None:
        """Move a key's slot to another node."""
        move = Move(self, key)
        move.begin()
        move.take()
        move.end()

    def close(self) -> None:
        for node in self.everyone:
            node.close()


def _slots(client: redis.Redis) -> list[Any]:
    """Who has which slots, without redis-py's parsing."""
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command("CLUSTER", "SLOTS")
        found: list[Any] = connection.read_response()
        return found
    finally:
        client.connection_pool.release(connection)


class Move:
    """Moves the slot of a key from its node to another one, key by key, as ``redis-cli --cluster reshard`` does.

    Parameters:
      cluster: The cluster.
      key: The key.
    """

    def __init__(self, cluster: Cluster, key: str) -> None:
        self.slot = key_slot(key.encode())
        self._cluster = cluster
        self.source = cluster.owner(key)
        self.target = cluster.another(self.source)

    def begin(self) -> None:
        """From now on both nodes refuse what isn't all on one of them."""
        self._set(self.target, "IMPORTING", self._cluster.id_of(self.source))
        self._set(self.source, "MIGRATING", self._cluster.id_of(self.target))

    def take(self, most: int = 1_000_000) -> int:
        """Take so many keys over; returns how many there were."""
        with self.source.client() as client:
            keys = client.execute_command("CLUSTER", "GETKEYSINSLOT", self.slot, most)
            for key in keys:
                client.execute_command("MIGRATE", "127.0.0.1", self.target.port, key, 0, 10_000)
        return len(keys)

    def end(self) -> None:
        """Take over what is left, and the slot."""
        while self.take():
            pass
        for node in (self.target, self.source, *self._cluster.nodes):
            self._set(node, "NODE", self._cluster.id_of(self.target))

    def _set(self, node: Node, state: str, whose: str) -> None:
        with node.client() as client:
            client.execute_command("CLUSTER", "SETSLOT", self.slot, state, whose)


class ClusterWorld(World):
    """A world whose state lies on a cluster.

    Parameters:
      cluster: The cluster.
      url: Where the actors note what happens, and where the broker is if ``env`` doesn't say otherwise.
      env: More environment variables for the actors' module.
    """

    def __init__(self, cluster: Cluster, url: str, **env: str) -> None:
        self.cluster = cluster
        super().__init__(url, BATON_TEST_CLUSTER=cluster.addresses, **env)

    def _new_namespace(self) -> str:
        return f"{{{super()._new_namespace()}}}"

    def _client(self) -> Any:
        return self.cluster.client(decode_responses=True)

    def close(self) -> None:
        with contextlib.ExitStack() as stack:
            elsewhere = stack.enter_context(redis.Redis.from_url(self.url))
            stack.callback(_delete, elsewhere, f"{self.namespace}:*")
            super().close()

    def delete_queues(self) -> None:
        """Delete what a broker that is no Redis keeps."""
        if isinstance(self.broker, RabbitmqBroker):
            for queue in self.broker.get_declared_queues():
                for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
                    self.broker.channel.queue_delete(name)


class OneNodeWorld(World):
    """A world for tests that know nothing of clusters: its URL is that of the node that has all of its keys.

    Baton isn't told which one it is.

    Parameters:
      cluster: The cluster.
      messages: The URL of the server for messages.
    """

    def __init__(self, cluster: Cluster, messages: str) -> None:
        self._name = super()._new_namespace()
        url = cluster.owner(self._new_namespace()).url
        super().__init__(url, BATON_TEST_CLUSTER=cluster.addresses, BATON_TEST_BROKER_URL=messages)

    def _new_namespace(self) -> str:
        return f"{{{self._name}}}"


def _delete(client: redis.Redis, pattern: str) -> None:
    for key in list(client.scan_iter(pattern, count=1000)):
        client.delete(key)
