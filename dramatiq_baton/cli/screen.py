"""Paints pictures one over the other without flicker.

rich's ``Live`` erases all lines before it writes them again; a terminal that draws in between shows a hole. Here each
line is written over the old one, and only what is left of that is erased.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, RenderableType

_UP, _ERASE_REST_OF_LINE, _ERASE_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"


class Screen:
    """The last lines of a terminal, for as long as this context lasts.

    Parameters:
      console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._above = 0  #: lines of the picture above the one that the cursor is in

    def __enter__(self) -> Screen:
        self._console.show_cursor(False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._console.show_cursor(True)
        self._console.line()

    def paint(self, picture: RenderableType) -> None:
        """Show a picture in place of the one before, in one write."""
        with self._console.capture() as capture:
            self._console.print(picture, end="")
        lines = capture.get().rstrip("\n").split("\n")
        start = "\r" + (_UP.format(self._above) if self._above else "")
        painted = (_ERASE_REST_OF_LINE + "\n").join(lines) + _ERASE_REST_OF_LINE + _ERASE_BELOW
        self._console.file.write(start + painted)
        self._console.file.flush()
        self._above = len(lines) - 1
