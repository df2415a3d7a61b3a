"""Worlds without workers, labs, and stores of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import by_hand, lab, leaving_nothing, log, make_lab, own_world
from tests.support.servers import machine_redis_url
from tests.support.watched import line, watched_world
from tests.support.world import World

__all__ = ["by_hand", "lab", "line", "log", "make_lab", "own_world", "watched_world"]

MakeWorld = Callable[..., World]


@pytest.fixture(params=["valkey", "redis"])
def make_world(request: pytest.FixtureRequest) -> Iterator[MakeWorld]:
    """Makes a world without a worker, with more environment variables for its actors."""
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else machine_redis_url()
    with ExitStack() as stack:
        yield lambda **env: stack.enter_context(leaving_nothing(World(url, **env)))


@pytest.fixture
def make_hand(own_world: World) -> Iterator[Callable[..., ByHand]]:
    """Makes stores with other options."""
    with ExitStack() as stack:

        def make(**options: Any) -> ByHand:
            return stack.enter_context(closing(ByHand(own_world, **options)))

        yield make
