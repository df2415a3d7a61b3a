"""What stands on the pages is done as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pages import README, blocks, name_of, pages
from .reading import Reader

#: What a fence may say of its block: run, told, or drawn; or what Sphinx replaces.
KNOWN = {"python", "console", "text", "mermaid", "{toctree}", "{include} ../CHANGELOG.md"}


@pytest.mark.parametrize("page", [page for page in pages() if page != README and blocks(page)], ids=name_of)
def test_a_page_goes_as_it_says(reader: Reader, page: Path) -> None:
    reader.read(page)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_no_block_is_overlooked(page: Path) -> None:
    """What isn't in the reader's language is not run, so nothing may be called anything else."""
    assert set(re.findall(r"^ *(?:```+|~~~+) *(\S.*)$", page.read_text("utf-8"), re.MULTILINE)) <= KNOWN
    assert not re.findall(r"^ +```", page.read_text("utf-8"), re.MULTILINE)
