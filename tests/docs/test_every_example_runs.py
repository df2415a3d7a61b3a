"""What stands on the pages is done as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import README, blocks, name_of, pages
from .reading import Reader


@pytest.mark.parametrize("page", [page for page in pages() if page != README and blocks(page)], ids=name_of)
def test_a_page_goes_as_it_says(reader: Reader, page: Path) -> None:
    reader.read(page)
