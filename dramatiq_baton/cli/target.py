"""Which workflows a command is about."""

from __future__ import annotations

from dataclasses import dataclass

from ..middleware import client_from
from ..names import check_namespace
from ..store.store import Store


@dataclass(frozen=True, slots=True)
class Target:
    """Where the workflows are.

    Attributes:
      url: The Redis server.
      namespace: The namespace there.
    """

    url: str
    namespace: str

    def open(self) -> Store:
        """Connect.

        Raises:
          BatonError: If that can't be done, saying why.
        """
        store = Store(client_from(self.url), namespace=check_namespace(self.namespace))
        store.check_server()
        return store

    def open_briefly(self, seconds: float) -> Store:
        """A store for something that isn't worth a wait: it tries once, and no longer than that for an answer."""
        client = client_from(self.url)
        client.connection_pool.connection_kwargs.update(
            socket_connect_timeout=seconds, socket_timeout=seconds, retry=None
        )
        return Store(client, namespace=check_namespace(self.namespace))
