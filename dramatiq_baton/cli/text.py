"""Text for terminals: users' text made harmless, cut to a width, set in columns, and times in words."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import compress

from rich.cells import cell_len, chop_cells
from rich.text import Text

#: What a table puts in a column: text of users, the same and a style, or what makes a text of a width.
Cell = str | tuple[str, str] | Callable[[int], Text]

#: Characters that change the direction of what follows: with them a name can rewrite its whole line.
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Line breaks that aren't control characters, and invisible characters that no script needs.
# Joiners, variation selectors and tags stay, because emoji and several scripts are written with them.
_INVISIBLE = "\u2028\u2029\ufeff\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb"

# Names are measured up to this width; no column for them is wider.
_WIDEST_NAME = 60


class _Replacements(dict[int, str]):
    """What `str.translate` puts in the place of each harmful character."""

    def __init__(self) -> None:
        super().__init__({code: chr(0x2400 + code) for code in range(0x20)})  # ␀ ... ␛ ... ␟
        self[0x09] = " "
        self[0x7F] = "␡"
        self.update({code: f"\\x{code:02x}" for code in range(0x80, 0xA0)})
        self.update({ord(char): f"\\u{ord(char):04x}" for char in (*BIDI_CONTROLS, *_INVISIBLE)})

    def __missing__(self, code: int) -> str:
        # Lone surrogates, which no terminal's encoding can write, are 2,048 characters: not worth a table.
        if 0xD800 <= code <= 0xDFFF:
            return f"\\u{code:04x}"
        raise LookupError  # how `str.translate` is told to keep the character


_REPLACEMENTS = _Replacements()


def clean(text: str) -> str:
    """Make *text* safe to show: what could control the terminal becomes visible instead.

    Control characters (C0, C1, DEL), bidirectional controls, line separators and lone surrogates are
    replaced; a tab becomes a space. All other text, emoji too, stays as it is. The result is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_REPLACEMENTS)


def shorten(text: str, width: int) -> str:
    """Cut *text* to at most *width* cells of a terminal, with an ellipsis where something is missing."""
    if width <= 0:
        return ""
    # Characters without any width could pile up without end: nobody writes more than 8 code points a cell.
    bounded = text[: 8 * width]
    if len(bounded) == len(text) and cell_len(text) <= width:
        return text
    end = bisect_right(range(len(bounded) + 1), width - 1, key=lambda end: cell_len(bounded[:end])) - 1
    return bounded[:end] + "…"


def fit(text: str, width: int) -> str:
    """User's text, cleaned and cut to *width* cells, at a cost that doesn't grow with its length."""
    return shorten(clean(text[: 8 * width + 1]), width)


def duration(ms: int) -> str:
    """*ms* in words, rounded down: ``430 ms``, ``1.4 s``, ``2 m 03 s``, ``3 h 07 m``, ``4 d 11 h``.

    A negative time, which clocks that disagree can bring about, counts as none.
    """
    ms = max(ms, 0)
    seconds = ms // 1000
    if seconds < 1:
        return f"{ms} ms"
    if seconds < 60:
        return f"{seconds}.{ms % 1000 // 100} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes < 60:
        return f"{minutes} m {seconds % 60:02} s"
    if hours < 24:
        return f"{hours} h {minutes % 60:02} m"
    return f"{days} d {hours % 24:02} h"


def age(ms: int) -> str:
    """*ms* in its largest unit only: it stands in many lines, which should not all change all the time."""
    seconds = max(ms, 0) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def counted(number: int, what: str) -> str:
    """A number of things, in words that agree with it: ``1 step``, ``1,200 steps``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def clock(ts_ms: int) -> str:
    """The local time of day at *ts_ms* milliseconds since 1970, as ``HH:MM:SS.mmm``."""
    seconds, ms = divmod(ts_ms, 1000)
    try:
        return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{ms:03}"
    except (OverflowError, ValueError, OSError):  # a time that isn't one: the stream holds what it holds
        return "--:--:--.---"


def moment(ts_ms: int, *, between: str = " ") -> str:
    """The local date and time at *ts_ms* milliseconds since 1970, as ``YYYY-MM-DD HH:MM:SS``."""
    try:
        return time.strftime(f"%Y-%m-%d{between}%H:%M:%S", time.localtime(ts_ms // 1000))
    except (OverflowError, ValueError, OSError):
        return f"----------{between}--:--:--"


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """User's text, cleaned, in at most so many *lines* of *width* cells; the last one is cut if need be."""
    if width <= 0:
        return []
    parts = chop_cells(clean(text[: 8 * width * lines]), width)
    if len(parts) <= lines and len(text) <= 8 * width * lines:
        return parts
    return [*parts[: lines - 1], shorten("".join(parts[lines - 1 :]), width)]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of so many cells of the terminal, followed by a gap; one of width 0 is left out."""

    title: str
    width: int
    right: bool = False
    gap: int = 2


class Table:
    """Composes lines of columns. Strings are taken for text of users: they are cleaned and cut."""

    def __init__(self, *columns: Column) -> None:
        self.columns = [column for column in columns if column.width > 0]
        self._shown = [column.width > 0 for column in columns]

    def titles(self) -> Text:
        """The line above the others."""
        line = Text(" ")
        for column in self.columns:
            _append(line, column, Text(fit(column.title, column.width), "dim"))
        return line

    def line(self, cells: Iterable[Cell]) -> Text:
        """A line with one cell a column: a string, one with a style, or what makes a text of a width."""
        line = Text(" ")
        for column, cell in zip(self.columns, compress(cells, self._shown), strict=True):
            if callable(cell):
                _append(line, column, cell(column.width))
            else:
                text, style = (cell, "") if isinstance(cell, str) else cell
                _append(line, column, Text(fit(text, column.width), style))
        return line


def _append(line: Text, column: Column, text: Text) -> None:
    spare = " " * (column.width - text.cell_len)
    gap = " " * column.gap
    if column.right:
        line.append(spare).append_text(text).append(gap)
    else:
        line.append_text(text).append(spare + gap)


def widest(names: Iterable[str], at_least: int = 0) -> int:
    """How wide a column for *names* has to be; none is wider than 60 cells."""
    return max(at_least, max((cell_len(fit(name, _WIDEST_NAME)) for name in names), default=0))


def free_width(width: int, columns: Iterable[Column]) -> int:
    """What *columns* leave free of *width*, behind the margin of one cell at the left."""
    return max(width - 1 - sum(column.width + column.gap for column in columns if column.width), 0)
