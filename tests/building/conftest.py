"""A world in which a test must leave nothing at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World


@pytest.fixture(params=["valkey", "redis"])
def untouched(request: pytest.FixtureRequest) -> Iterator[World]:
    """A new namespace on each kind of server in turn; fails a test that leaves one key in it."""
    shared: World = request.getfixturevalue(f"{request.param}_world")
    world = World(shared.url)
    try:
        yield world
        assert world.keys() == []
    finally:
        world.close()
