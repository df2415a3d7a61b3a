"""Callers of both kinds, worlds and labs of a test's own, and a watched line to Redis."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.support.by_hand import ByHand
from tests.support.own import (  # noqa: F401
    by_hand,
    lab,
    leaving_nothing,
    make_lab,
    own_world,
    split_lab,
    split_world,
    state_server,
)
from tests.support.twins import caller  # noqa: F401
from tests.support.watched import line, watched_hand, watched_world  # noqa: F401
from tests.support.world import World


class NamedWorld(World):
    """A world whose submitter is known to the server by a name, so that its connections can be counted."""

    def __init__(self, url: str) -> None:
        self.client_name = f"submitter-{secrets.token_hex(4)}"
        super().__init__(url, BATON_TEST_STATE_URL=f"{url}?client_name={self.client_name}")

    def connections(self) -> list[str]:
        """The last command of each connection of the submitter."""
        clients = self.redis.client_list()
        return [client["cmd"] for client in clients if client["name"] == self.client_name]


@pytest.fixture
def named_world(valkey_url: str) -> Iterator[NamedWorld]:
    world = NamedWorld(valkey_url)
    with leaving_nothing(world):
        yield world


@pytest.fixture
def named_hand(named_world: NamedWorld) -> Iterator[ByHand]:
    """Settles steps in :func:`named_world`."""
    hand = ByHand(named_world)
    yield hand
    hand.close()
