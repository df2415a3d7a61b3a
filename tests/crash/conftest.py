"""Fixtures for the crash tests: the servers' addresses, and a parent for the processes that are to die."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.forks import Zygote
from tests.support.servers import machine_redis_url


@pytest.fixture(params=["valkey", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of each kind of server in turn."""
    if request.param == "redis":
        return machine_redis_url()
    return str(request.getfixturevalue("valkey_url"))


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    parent = Zygote(tmp_path_factory.mktemp("logs"))
    yield parent
    parent.close()
