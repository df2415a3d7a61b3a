"""What the tests of this folder stand on besides the session's worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from dramatiq import Middleware

from dramatiq_baton import BatonMiddleware
from tests.support.lab import Lab, stock
from tests.support.own import lab, log, make_lab, own_world, split_lab, split_world, state_server
from tests.support.state_server import StateServer
from tests.support.world import World

__all__ = ["lab", "log", "make_lab", "own_world", "split_lab", "split_world", "state_server"]


def _first(baton: BatonMiddleware) -> Sequence[Middleware]:
    return [baton, *stock()]


def _last(baton: BatonMiddleware) -> Sequence[Middleware]:
    return [*stock(), baton]


@pytest.fixture(params=[_first, _last], ids=["first", "last"])
def impatient_lab(
    request: pytest.FixtureRequest, split_world: World, state_server: StateServer, valkey_url: str
) -> Iterator[Lab]:
    """A lab with Baton first or last, that doesn't wait long for an answer of its own state server.

    Its leases outlast every outage, and no rescue comes.
    """
    lab = Lab(
        split_world,
        request.param,
        broker_url=valkey_url,
        url=f"{state_server.url}?socket_timeout=0.5&socket_connect_timeout=0.5",
        lease_ttl=600_000,
        rescue_interval=600_000,
    )
    yield lab
    lab.close()


Outage = Callable[[StateServer], None]


@pytest.fixture(params=["frozen", "stopped"])
def outage(request: pytest.FixtureRequest) -> Any:
    """Takes the state server away; ``bring_back()`` ends it."""
    return {"frozen": StateServer.freeze, "stopped": StateServer.stop}[request.param]
