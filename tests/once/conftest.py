"""Labs, worlds without workers but those that a test starts, and steps that are started by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import (  # noqa: F401
    lab,
    log,
    make_lab,
    own_world,
    split_lab,
    split_world,
    state_server,
)
from tests.support.world import World


@pytest.fixture
def by_hand(own_world: World) -> Iterator[ByHand]:  # noqa: F811
    hand = ByHand(own_world)
    yield hand
    hand.close()
