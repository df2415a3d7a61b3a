"""Text from packages: harmless to show, on one line, and short enough."""

from __future__ import annotations

import re
import unicodedata

#: A command to a terminal: a colour, say, or the title of its window. Without its first character, the rest
#: of it would be left as text.
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?")


def visible(text: str) -> str:
    """Drop what is not text to a reader: control and formatting characters, and pictographs.

    Control characters can drive a terminal, and direction marks can make a line read as something else.
    """
    text = _TERMINAL_SEQUENCE.sub("", text)
    hidden = [character for character in set(text) - {"\n", "\t"} if _is_hidden(character)]
    return text.translate(str.maketrans("", "", "".join(hidden))).expandtabs(4)


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    # Signs such as © and ° are in the category of symbols too, but below the blocks of pictographs.
    pictograph = category in ("So", "Sk") and character >= "\u2300"
    return category[0] == "C" or pictograph or "\ufe00" <= character <= "\ufe0f"


def one_line(text: str) -> str:
    return " ".join(visible(text).split())


def shorten(text: str, most: int) -> str:
    """Cut ``text`` at the last paragraph, or else the last word, that fits into ``most`` characters."""
    if len(text) <= most:
        return text
    cut = text[:most]
    for separator in ("\n\n", " "):
        head, found, _ = cut.rpartition(separator)
        if found:
            return head if separator == "\n\n" else f"{head} …"
    return cut
