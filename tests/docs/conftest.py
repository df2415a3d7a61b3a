"""A reader of pages, and a database for pages that use the default namespace, where nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from .reading import Reader

#: Of the session's server; other tests use number 0.
DATABASE = 5


@pytest.fixture
def own_url(valkey_url: str) -> Iterator[str]:
    url = f"{valkey_url.rpartition('/')[0]}/{DATABASE}"
    yield url
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@pytest.fixture
def reader(own_url: str, tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path, own_url)
    try:
        yield reader
    finally:
        reader.close()
