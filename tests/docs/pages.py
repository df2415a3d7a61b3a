"""The pages of the documentation, the README among them, and what stands in them to be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(?P<language>[a-z]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (?P<name>[a-z_]+\.py)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
      language: What it says it is.
      text: What stands in it.
      line: The number of its first line in the page.
    """

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that it is, if its first line is a comment with a name."""
        found = _FILE.match(self.text)
        return found["name"] if found else None


def pages() -> list[Path]:
    """All pages, the README first."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(found["language"], found["text"], text.count("\n", 0, found.start()) + 2)
        for found in _FENCE.finditer(text)
    ]


def table_rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of all tables below a heading, up to the next one."""
    return [row for row in _rows(section(page, heading)) if not set("".join(row)) <= set("-: ")]


def section(page: Path, heading: str) -> str:
    """What stands below a heading, up to the next one of its rank or above."""
    text = page.read_text("utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"{name_of(page)} has no heading {heading!r}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def _rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
