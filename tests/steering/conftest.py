"""Worlds without workers but those that a test starts, and steps that are settled by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import log, own_world  # noqa: F401
from tests.support.world import World


@pytest.fixture
def by_hand(own_world: World) -> Iterator[ByHand]:  # noqa: F811
    hand = ByHand(own_world)
    yield hand
    hand.close()
