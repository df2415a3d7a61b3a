from __future__ import annotations

from typing import Any

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import lab, log, make_lab, own_world
from tests.support.world import World

from .halfway import clear

__all__ = ["lab", "log", "make_lab", "own_world"]


@pytest.fixture(scope="module")
def world(valkey_url: str) -> Any:
    world = World(valkey_url)
    yield world
    clear(world)
    world.close()


@pytest.fixture(scope="module")
def hand(world: World) -> Any:
    hand = ByHand(world, lease_ttl=1000)
    yield hand
    hand.close()
