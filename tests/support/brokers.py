"""Taking leave of a broker."""

from __future__ import annotations

from contextlib import suppress

import dramatiq

from dramatiq_baton import BatonError, BatonMiddleware


def hang_up(broker: dramatiq.Broker) -> None:
    """Close a broker, and the connections that it and its ``BatonMiddleware`` leave open."""
    broker.close()
    for middleware in broker.middleware:
        if isinstance(middleware, BatonMiddleware):
            with suppress(BatonError):  # it never had a connection
                middleware.runtime(broker).store.connections.close()
            if middleware._client is not None:
                middleware._client.close()
    pool = getattr(getattr(broker, "client", None), "connection_pool", None)
    if pool is not None:
        pool.disconnect()
