"""Printing something once: lines as wide as the terminal, or plain ones into a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from .picture import Picture, in_ascii
from .text import widest

Item = TypeVar("Item")

# So many lines are written at once.
_PORTION = 200


def on_terminal() -> bool:
    """Whether the output is for someone who looks at it."""
    return sys.stdout.isatty()


def print_view(compose: Callable[[int], Iterable[Text]]) -> None:
    """Print the lines that *compose* gives for the terminal's width; what is wider is cut."""
    console = Console()
    for lines in portions(compose(console.width), _PORTION):
        console.print(_still(lines), crop=False)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are, without those characters that the encoding of the output doesn't have."""
    is_unicode = sys.stdout.encoding.lower().startswith("utf")
    for some in portions(lines, _PORTION):
        text = "\n".join(some)
        click.echo(text if is_unicode else in_ascii(text))


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Set rows of words in columns, each as wide as its widest word up to a bound, the last one open."""
    widths = [widest(column) for column in zip(*rows, strict=True)]
    for row in rows:
        *words, last = row
        cells = (word + " " * (width - cell_len(word)) for word, width in zip(words, widths, strict=False))
        yield "  ".join([*cells, last]).rstrip()


def portions(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most *size*."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


def _still(lines: list[Text]) -> Picture:
    return Picture(lambda _width, _height: lines, height=len(lines))
