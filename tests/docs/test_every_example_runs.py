"""What stands on the pages is done as it stands there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from .pages import README, blocks, name_of, pages
from .reading import Reader

#: The database of the session's server that these tests have for themselves.
DATABASE = 5


@pytest.fixture
def reader(valkey_url: str, tmp_path: Path) -> Iterator[Reader]:
    url = f"{valkey_url.rpartition('/')[0]}/{DATABASE}"
    reader = Reader(tmp_path, url)
    try:
        yield reader
    finally:
        reader.close()
        with redis.Redis.from_url(url) as client:
            client.flushdb()


@pytest.mark.parametrize("page", [page for page in pages() if page != README and blocks(page)], ids=name_of)
def test_a_page_goes_as_it_says(reader: Reader, page: Path) -> None:
    reader.read(page)
