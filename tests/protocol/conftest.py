"""A server and scripts with which everything that is done in portions is done step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton.store.scripts import script
from tests.support.servers import bundled_server

ALL = ("submit", "claim", "settle", "defer", "cancel", "retry", "spread", "expire", "resend", "callback_done")


@pytest.fixture(scope="session")
def scanning_server() -> Iterator[redis.Redis]:
    """A server that scans hashes entry by entry."""
    server = bundled_server()
    client = redis.Redis.from_url(f"redis://127.0.0.1:{server.port}/0")
    client.config_set("hash-max-ziplist-entries", 0)  # the name that all versions know
    yield client
    client.close()
    server.terminate()


@pytest.fixture
def step_by_step(scanning_server: redis.Redis) -> Iterator[redis.Redis]:
    """That server, and scripts whose portion is one step."""
    known = {name: script(name) for name in ALL}
    texts = {name: found.text for name, found in known.items()}
    for found in known.values():
        assert found.text.count("local PORTION = 50") == 1
        found.text = found.text.replace("local PORTION = 50", "local PORTION = 1")
        found.sha = hashlib.sha1(found.text.encode(), usedforsecurity=False).hexdigest()
    yield scanning_server
    for name, found in known.items():
        found.text = texts[name]
        found.sha = hashlib.sha1(found.text.encode(), usedforsecurity=False).hexdigest()
