"""Fixtures for tests that can't share the session's worker: a world, and a lab, of a test's own.

A ``conftest.py`` imports those that its folder needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .by_hand import ByHand
from .cluster import OneNodeWorld
from .lab import Lab, Log
from .servers import STATES, machine_redis_url
from .state_server import StateServer
from .world import World

MakeLab = Callable[..., Lab]


@contextmanager
def leaving_nothing(world: World) -> Iterator[World]:
    """Closes a world, and fails a test that has left something behind there for ever (G9)."""
    try:
        yield world
        left = world.left_behind()
        assert not left
    finally:
        world.close()


@pytest.fixture(params=STATES)
def own_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world with no worker but those that the test starts."""
    match request.param:
        case "valkey":
            world = World(request.getfixturevalue("valkey_url"))
        case "redis":
            world = World(machine_redis_url())
        case "cluster":
            world = OneNodeWorld(request.getfixturevalue("cluster"), request.getfixturevalue("valkey_url"))
    with leaving_nothing(world):
        yield world


@pytest.fixture
def by_hand(own_world: World) -> Iterator[ByHand]:
    """Settles steps of :func:`own_world` by hand."""
    hand = ByHand(own_world)
    yield hand
    hand.close()


@pytest.fixture
def make_lab(own_world: World) -> Iterator[MakeLab]:
    """Makes labs in a world of the test's own."""
    labs: list[Lab] = []

    def make(*args: Any, **options: Any) -> Lab:
        labs.append(Lab(own_world, *args, **options))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    """A lab with Dramatiq's default middleware and Baton behind it."""
    return make_lab()


@pytest.fixture
def log() -> Iterator[Log]:
    """What Dramatiq and Baton log in this process during the test."""
    with Log() as log:
        yield log


@pytest.fixture
def state_server() -> Iterator[StateServer]:
    """A server for state alone, that the test may freeze, kill and start again."""
    server = StateServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def split_world(state_server: StateServer, valkey_url: str) -> Iterator[World]:
    """A world whose state lives on :func:`state_server`, and whose messages live elsewhere."""
    world = World(state_server.url, BATON_TEST_BROKER_URL=valkey_url)
    try:
        yield world
        state_server.bring_back()
        left = world.left_behind()
        assert not left
    finally:
        state_server.bring_back()
        client = world.broker.client  # type: ignore[attr-defined]
        for key in list(client.scan_iter(f"{world.namespace}:*", count=1000)):
            client.delete(key)
        world.close()


@pytest.fixture
def split_lab(split_world: World, valkey_url: str) -> Iterator[Lab]:
    """A lab whose state lives on :func:`state_server`, and whose messages live elsewhere."""
    lab = Lab(split_world, broker_url=valkey_url)
    yield lab
    lab.close()
