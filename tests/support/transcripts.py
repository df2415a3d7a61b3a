"""What a session printed, without what differs from one run to the next."""

from __future__ import annotations

import re

#: What differs, and what follows from its width.
DIFFERENT = {
    r"\b[0-9a-f]{32}\b": "ID",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "WHEN",
    r"\b\d\d:\d\d:\d\d(\.\d+)?\b": "WHEN",
    r"\b\d+(\.\d+)? ?(ms|s|m|h)\b": "LONG",
    r" +": " ",
    r"━+": "━",
}


def normal(text: str) -> list[str]:
    """The lines of a transcript that are not empty."""
    for pattern, word in DIFFERENT.items():
        text = re.sub(pattern, word, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]
