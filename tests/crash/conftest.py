"""Fixtures for the crash tests: the servers' addresses, and a parent for the processes that are to die."""

from __future__ import annotations

import pytest

from tests.support import forks
from tests.support.forks import Zygote
from tests.support.servers import machine_redis_url


@pytest.fixture(params=["valkey", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of each kind of server in turn."""
    if request.param == "redis":
        return machine_redis_url()
    return str(request.getfixturevalue("valkey_url"))


@pytest.fixture(scope="session")
def zygote() -> Zygote:
    return forks.zygote()
