"""Worlds without workers, in which steps are settled by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import by_hand, own_world  # noqa: F401
from tests.support.world import World


@pytest.fixture
def hasty(own_world: World) -> Iterator[ByHand]:  # noqa: F811
    """Whoever gets a lease here has lost it the next moment."""
    hand = ByHand(own_world, lease_ttl=0)
    yield hand
    hand.close()
