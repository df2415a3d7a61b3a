"""A real master with a replica, watched by a sentinel, and a world whose state the sentinel leads to."""

from __future__ import annotations

import contextlib
from typing import Any

import redis
from redis.sentinel import Sentinel

from .nodes import Node, until
from .world import World

SERVICE = "state"
CONFIG = """
sentinel monitor {service} 127.0.0.1 {port} 1
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 5000
"""


class Sentinels:
    """A master, a replica, and a sentinel that makes a master of the replica."""

    def __init__(self) -> None:
        self.master = Node()
        self.replica = Node(replicaof=f"127.0.0.1 {self.master.port}")
        self.sentinel = Node(config=CONFIG.format(service=SERVICE, port=self.master.port), mode="--sentinel")
        with self.replica.client() as client:
            until(lambda: client.info("replication")["master_link_status"] == "up", "a replica")
        with self.sentinel.client() as client:
            until(lambda: client.sentinel_master(SERVICE)["num-slaves"] == 1, "known to the sentinel")

    def client(self, **settings: Any) -> redis.Redis:
        """A client such as users hand in."""
        client: redis.Redis = Sentinel([("127.0.0.1", self.sentinel.port)]).master_for(SERVICE, **settings)
        return client

    def wait_for_master(self, node: Node) -> None:
        """Wait until the sentinel has made a node the master."""
        with self.sentinel.client() as client:
            until(lambda: client.sentinel_masters()[SERVICE]["port"] == node.port, "a new master")

    def replicate(self) -> None:
        """Wait until the replica has all that the master has acknowledged on other connections, too."""
        with self.master.client() as client:
            client.set(
                "replicated", 1, ex=600
            )  # WAIT is about what its own connection wrote, and what came before
            assert client.wait(1, 30_000) == 1

    def close(self) -> None:
        for node in (self.sentinel, self.replica, self.master):
            node.close()


class SentinelWorld(World):
    """A world whose state lies where a sentinel says.

    Parameters:
      sentinels: The sentinel.
      url: Where the actors note what happens, and where the broker is unless ``env`` says that it is with the state.
    """

    def __init__(self, sentinels: Sentinels, url: str, **env: str) -> None:
        self._sentinels = sentinels
        super().__init__(url, BATON_TEST_SENTINEL=str(sentinels.sentinel.port), **env)

    def _client(self) -> redis.Redis:
        return self._sentinels.client(decode_responses=True)

    def close(self) -> None:
        with contextlib.ExitStack() as stack:
            elsewhere = stack.enter_context(redis.Redis.from_url(self.url))
            stack.callback(_delete, elsewhere, f"{self.namespace}:*")
            super().close()


def _delete(client: redis.Redis, pattern: str) -> None:
    for key in list(client.scan_iter(pattern, count=1000)):
        client.delete(key)
