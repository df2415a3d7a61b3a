"""A picture of a moment, as high and wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from rich.console import Console, ConsoleOptions, OverflowMethod, RenderResult
from rich.text import Text

from .looks import ASCII

#: The overflow of a line that isn't cut: the terminal itself breaks it where it must.
WHOLE: OverflowMethod = "ignore"


def in_ascii(text: str) -> str:
    """*text* for an output whose encoding isn't a Unicode one."""
    return "".join(char if char.isascii() else "?" for char in text.translate(ASCII))


@dataclass(frozen=True, slots=True)
class Picture:
    """A renderable of lines that are composed once the width and height to fill are known.

    Parameters:
      compose: Gives the lines for a width and a height.
      height: How many lines there may be; ``None`` for as many as the console has.
    """

    compose: Callable[[int, int], Iterable[Text]]
    height: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        height = self.height or options.height or options.max_height
        for line in islice(self.compose(width, height), height):
            if options.ascii_only:
                line.plain = in_ascii(line.plain)
            line.rstrip()
            # A line that wraps would make the live view scroll instead of staying in place.
            line.no_wrap = True
            if line.overflow != WHOLE:
                line.overflow = "crop"
            yield line
