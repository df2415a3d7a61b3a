"""Where connections go: to one server, to the master that sentinels name, or to the node of a cluster.

A cluster's nodes say where a key is: one that hasn't got it names the node that has. So any node will do to ask, and
none has to be asked beforehand. All keys of a namespace in braces lie together, hence one node has all of them.

A command is never sent on with ``ASKING`` while its slot moves from one node to another, key by key. It would find
only those keys that have arrived, and a script would act on half of a workflow. It waits until all have: scripts name a
key that never exists (the index, which is but a prefix), and with one key missing, either node refuses them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import redis
from redis.exceptions import AskError, ClusterDownError, MovedError, ReadOnlyError, TryAgainError
from redis.sentinel import (
    MasterNotFoundError,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from ..errors import ConfigurationError

Target = tuple[str, int]  #: host and port
Client = redis.Redis | redis.RedisCluster

#: For how long a command is asked again that was refused because another server is in charge, or nobody at the moment;
#: and how long it waits before that at the most. In seconds.
PATIENCE, LONGEST_PAUSE = 5.0, 0.1


class Patience:
    """Says when one command is asked again."""

    def __init__(self) -> None:
        self._tries = 0
        self._until = time.monotonic() + PATIENCE

    def pause(self) -> float | None:
        """How long to wait before the next try, in seconds; ``None`` if there is to be none."""
        if time.monotonic() >= self._until:
            return None
        self._tries += 1
        return 0 if self._tries == 1 else min(0.01 * 2**self._tries, LONGEST_PAUSE)


class Route:
    """To one server, whose address is among the settings.

    Parameters:
      kind: The class of connections.
      settings: What it is called with.

    Attributes:
      address: How errors call the server.
      place: Equal for two routes to the same database, as the same user; ``None`` if there is no telling.
      is_fixed: Whether connections know by themselves where to go.
    """

    is_fixed = True

    def __init__(self, kind: Callable[..., Any], settings: dict[str, Any]) -> None:
        self.kind = kind
        self.settings = settings
        self.address = _address(settings)
        self.place: Hashable | None = tuple(
            settings.get(name) or default
            for name, default in (("host", "localhost"), ("port", 6379), ("path", None), *_WHO)
        )

    def targets(self) -> Sequence[Target]:
        """Where to try to connect, one after the other. It may be asked for somewhere, which blocks.

        Raises:
          redis.ConnectionError: If nobody knows.
        """
        return ()

    def may_ask_again(self, error: Exception) -> bool:
        """Whether a command that failed so may be asked again: it wasn't carried out, and soon it may be.

        Who is named by the error is connected to next.
        """
        return False


#: What else tells one place from another, and what it is if it isn't given.
_WHO = (("db", 0), ("username", None))


class SentinelRoute(Route):
    """To the master that sentinels name."""

    is_fixed = False

    def __init__(
        self, kind: Callable[..., Any], settings: dict[str, Any], pool: SentinelConnectionPool
    ) -> None:
        super().__init__(kind, settings)
        self._service, self._sentinels = pool.service_name, pool.sentinel_manager
        self.address = f"the master {self._service!r} of the sentinels"
        who = tuple(settings.get(name) or default for name, default in _WHO)
        self.place = (self._sentinels, self._service, *who)

    def targets(self) -> Sequence[Target]:
        return (self._sentinels.discover_master(self._service),)

    def may_ask_again(self, error: Exception) -> bool:
        # Who was the master has become a replica, of which the sentinels may not have heard yet; or they are about to
        # choose another one.
        return isinstance(error, (ReadOnlyError, MasterNotFoundError))


class ClusterRoute(Route):
    """To the node of a cluster that has the namespace. Serves for a server that is no cluster, too.

    Parameters:
      nodes: Some nodes of the cluster.
      translate: Makes of an address that nodes give the one by which they are reached.
    """

    is_fixed = False

    def __init__(
        self,
        kind: Callable[..., Any],
        settings: dict[str, Any],
        nodes: Sequence[Target],
        translate: Callable[[str, int], Target] = lambda host, port: (host, port),
    ) -> None:
        super().__init__(kind, settings)
        self.place = None
        self._nodes = list(nodes)  # the one that was in charge when last heard of is the first
        self._translate = translate
        self._lock = threading.Lock()

    def targets(self) -> Sequence[Target]:
        with self._lock:
            return tuple(self._nodes)

    def may_ask_again(self, error: Exception) -> bool:
        if isinstance(error, MovedError):
            self._go_to(error)
        return isinstance(error, (AskError, TryAgainError, ClusterDownError))  # MovedError is an AskError

    def _go_to(self, moved: MovedError) -> None:
        with self._lock:
            # A node that doesn't know its own name leaves it out: it means the one that was asked.
            host = self._nodes[0][0] if moved.host in ("", "?") else moved.host
            node = self._translate(host, moved.port)
            self._nodes = [node, *(other for other in self._nodes if other != node)]


def route_to(client: Client, *, one_slot: bool = False) -> Route:
    """The route to where a client goes. Only its settings are used.

    Parameters:
      client: Any of redis-py's that block.
      one_slot: Whether all keys that will be asked about lie in one slot, so that the server may be a cluster's node.

    Raises:
      ConfigurationError: If there is none.
    """
    if isinstance(client, redis.RedisCluster):
        return _route_to_cluster(client)
    pool = client.connection_pool
    settings = _as_ours(pool.connection_kwargs)
    if isinstance(pool, SentinelConnectionPool):
        return _route_by_sentinels(pool, settings)
    if one_slot and "path" not in settings:
        return ClusterRoute(pool.connection_class, settings, [_target(settings)])
    return Route(pool.connection_class, settings)


def _route_to_cluster(client: redis.RedisCluster) -> Route:
    nodes = client.get_nodes()  # type: ignore[no-untyped-call]
    pool = client.get_redis_connection(nodes[0]).connection_pool
    # The client's own asks nodes that are replicas to answer.
    settings = {**_as_ours(pool.connection_kwargs), "redis_connect_func": client.user_on_connect_func}
    known = [(node.host, node.port) for node in nodes]
    return ClusterRoute(pool.connection_class, settings, known, client.nodes_manager.remap_host_port)


def _route_by_sentinels(pool: SentinelConnectionPool, settings: dict[str, Any]) -> Route:
    kinds: dict[Any, Any] = {
        SentinelManagedConnection: redis.Connection,
        SentinelManagedSSLConnection: redis.SSLConnection,
    }
    if pool.connection_class not in kinds:
        raise ConfigurationError(
            f"a Sentinel client with connections of the class {pool.connection_class!r} can't be used; "
            "make it with Sentinel(...).master_for(...)"
        )
    if not pool.is_master:
        raise ConfigurationError(
            f"the Sentinel client for {pool.service_name!r} goes to replicas, which can't be written to; "
            "make it with master_for() in place of slave_for()"
        )
    del settings["connection_pool"]
    return SentinelRoute(kinds[pool.connection_class], settings, pool)


def _as_ours(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a client, for connections of our own."""
    # Replies are read as bytes whatever the user's client does; the scripts' replies are flat
    # enough for the older protocol.
    ours = {**settings, "decode_responses": False, "protocol": 2}
    ours.pop("maint_notifications_config", None)
    return ours


def _target(settings: dict[str, Any]) -> Target:
    return settings.get("host") or "localhost", int(settings.get("port") or 6379)


def _address(settings: dict[str, Any]) -> str:
    if path := settings.get("path"):
        return str(path)
    return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}/{settings.get('db') or 0}"
