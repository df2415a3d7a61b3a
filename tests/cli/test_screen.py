"""Pictures are painted one over the other: nothing is blank in between, and nothing of an older one is left."""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from dramatiq_baton.cli.screen import Screen


class Paper:
    """As much of a terminal as a screen needs; it remembers how it looked after each character."""

    def __init__(self, width: int, height: int) -> None:
        self.rows = [[" "] * width for _ in range(height)]
        self.row = self.column = 0
        self.seen: list[list[str]] = []

    def write(self, output: str) -> None:
        parts = iter(output)
        for char in parts:
            if char == "\x1b":
                code = next(parts)
                while not (code[-1].isalpha() or code[-1] == "~"):
                    code += next(parts)
                self._control(code)
            elif char == "\r":
                self.column = 0
            elif char == "\n":
                self.row, self.column = self.row + 1, 0
            else:
                self.rows[self.row][self.column] = char
                self.column += 1
            self.seen.append(self.lines)

    def _control(self, code: str) -> None:
        if code.endswith("A"):
            self.row -= int(code[1:-1])
        elif code in ("[K", "[J"):
            self.rows[self.row][self.column :] = [" "] * len(self.rows[self.row][self.column :])
        if code == "[J":
            for row in self.rows[self.row + 1 :]:
                row[:] = [" "] * len(row)

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.rows]


def paint(*pictures: str) -> Paper:
    file = io.StringIO()
    console = Console(file=file, width=20, height=6, force_terminal=True, legacy_windows=False, _environ={})
    with Screen(console) as screen:
        for picture in pictures:
            screen.paint(Text(picture))
    paper = Paper(20, 8)
    paper.write(file.getvalue())
    return paper


def test_a_picture_takes_the_place_of_the_one_before() -> None:
    assert paint("one\ntwo\nthree", "uno\ndue\ntre").lines[:4] == ["uno", "due", "tre", ""]


def test_nothing_is_left_of_a_larger_one() -> None:
    assert paint("longer than that\ntwo\nthree", "short").lines == ["short", *[""] * 7]
    assert paint("a", "b\nc\nd", "e\nf").lines == ["e", "f", *[""] * 6]


def test_what_stays_the_same_is_never_gone_meanwhile() -> None:
    seen = paint("title\nsame", "title\nsame", "title\nsame").seen
    first = next(number for number, lines in enumerate(seen) if lines[:2] == ["title", "same"])
    assert all(lines[:2] == ["title", "same"] for lines in seen[first:])


def test_the_cursor_is_hidden_meanwhile_and_comes_back() -> None:
    file = io.StringIO()
    console = Console(file=file, width=20, height=6, force_terminal=True, legacy_windows=False, _environ={})
    with Screen(console) as screen:
        screen.paint("x")
    assert file.getvalue().startswith("\x1b[?25l")
    assert file.getvalue().endswith("\x1b[?25h\n")
