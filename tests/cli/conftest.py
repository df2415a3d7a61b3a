"""What several tests of this folder stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.own import by_hand, own_world
from tests.support.world import World

__all__ = ["by_hand", "own_world"]


@pytest.fixture(scope="module")
def idle_world(valkey_url: str) -> Iterator[World]:
    """A world without a worker, for steps that are settled by hand."""
    world = World(valkey_url)
    yield world
    world.close()
