"""What Markdown and reStructuredText have in common: blocks, list items, inline code, emphasis."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LIST_ITEM = re.compile(r"(\s*)(?:[-*+•]|\(?(?:\d{1,3}|#)[.)])(\s+)(?=\S)")


@dataclass(frozen=True)
class Block:
    """A paragraph, or a heading if its level is not 0."""

    text: str
    level: int = 0


@dataclass
class Blocks:
    """Blocks as they are found, and the lines of the paragraph being read."""

    found: list[Block] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def end_paragraph(self) -> None:
        if self.lines:
            self.found.append(Block("\n".join(self.lines)))
            self.lines = []

    def heading(self, text: str, level: int) -> None:
        self.end_paragraph()
        self.found.append(Block(text, level))


class Literals:
    """Puts inline code aside, so that nothing in it is taken for markup."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    def put_aside(self, match: re.Match[str]) -> str:
        self._kept.append(match["code"].strip())
        # No text contains this character, since control characters are dropped first.
        return f"\x00{len(self._kept) - 1}\x00"

    def restore(self, text: str) -> str:
        return re.sub(r"\x00(\d+)\x00", lambda match: self._kept[int(match[1])], text)


def without_emphasis(text: str) -> str:
    for mark in (r"\*\*", "__", r"\*", "_"):
        sign = mark[-1]
        text = re.sub(
            rf"(?<![\w{sign}]){mark}(?=[^\s{sign}])(.+?)(?<=[^\s{sign}]){mark}(?![\w{sign}])",
            r"\1",
            text,
            flags=re.DOTALL,
        )
    return text
