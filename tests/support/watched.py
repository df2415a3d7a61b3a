"""Fixtures for tests that look at what a submitter says to Redis. A ``conftest.py`` imports those that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .by_hand import ByHand
from .line import Line
from .world import World


@pytest.fixture
def line(valkey_url: str) -> Iterator[Line]:
    """What the submitter says to Redis."""
    with Line(valkey_url) as line:
        yield line


@pytest.fixture
def watched_world(line: Line, valkey_url: str) -> Iterator[World]:
    """A world without a worker, whose submitter is on :func:`line`."""
    world = World(valkey_url, BATON_TEST_STATE_URL=line.url)
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def watched_hand(watched_world: World) -> Iterator[ByHand]:
    """Settles steps in :func:`watched_world`, on a connection that is not watched."""
    hand = ByHand(watched_world)
    yield hand
    hand.close()
