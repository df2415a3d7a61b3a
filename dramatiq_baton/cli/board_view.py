"""The live view of one workflow: a :class:`~.board.Board` as lines of a terminal.

A view is made once and asked for a picture of a moment, ``view.at(now_ms)``, as often as the caller likes.
A picture costs what its lines cost, not what the workflow does: sums and lists come ready from the board.

Lines are composed of cells of known widths, not by a `rich.table.Table`, so that columns stay where they are
from one picture to the next and no text can widen them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rich.text import Text

from ..states import StepState
from .board import Board, Row
from .folding import SECTIONS, Section, groups_of, share
from .heads import bar, title
from .looks import LOOKS, WIDE, counted, look
from .notes import note
from .picture import Picture
from .progress import Tally
from .sums import depth_label, sums
from .text import Cell, Column, Table, duration, free_width, widest

# How long a section keeps its place on the screen when it has become shorter.
_KEEP_MS = 10_000
# Title, bar, counts and a blank line.
_HEAD_LINES = 4


class BoardView:
    """Shows one workflow.

    While all its steps fit the height, each has a line. Otherwise there is a line for each actor, at each
    depth or in all, and below it as many steps as there is room for: failed, running, waiting, completed.

    Parameters:
      board: The workflow to show.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self._names = self._actors = self._measured = 0
        self._measure()
        self._most: dict[Section, tuple[int, int]] = {}

    def at(self, now_ms: int, *, height: int | None = None) -> Picture:
        """The workflow at *now_ms*, in at most *height* lines (by default the console's height)."""
        return Picture(lambda width, lines: self._compose(now_ms, width, lines), height)

    def _compose(self, now_ms: int, width: int, height: int) -> Iterator[Text]:
        self._measure()
        folded = _HEAD_LINES + 1 + len(self.board.rows) > height
        head = list(_board_head(self.board, now_ms, width, folded))
        yield from head
        if folded:
            yield from self._folded(now_ms, width, height - len(head))
        else:
            yield from self._steps(now_ms, width)

    def _measure(self) -> None:
        # Names don't change, so only steps that the snapshot didn't hold need another look.
        if self._measured < len(self.board.rows):
            new = islice(self.board.rows, self._measured, None)
            self._names = widest((row.name for row in new), at_least=self._names)
            self._actors = widest(self.board.by_actor)
            self._measured = len(self.board.rows)

    def _steps(self, now_ms: int, width: int) -> Iterator[Text]:
        table = self._step_table(width, with_depth=True)
        yield table.titles()
        above: object = ()
        for row in self.board.rows:
            label = "" if row.depth == above else depth_label(row.depth)
            above = row.depth
            yield table.line(_step_cells(self.board, row, now_ms, label))

    def _folded(self, now_ms: int, width: int, room: int) -> Iterator[Text]:
        groups = groups_of(self.board, room)
        yield from sums(groups, now_ms, width, depths=self.board.depths, actors=self._actors)
        yield from self._sections(now_ms, width, room - 1 - len(groups))

    def _sections(self, now_ms: int, width: int, room: int) -> Iterator[Text]:
        table = self._step_table(width, with_depth=False)
        sections, blank = share(self._wishes(now_ms), room)
        for section, lines in sections:
            total = section.total(self.board)
            title = f" {section.title} {total:,}"
            yield from (Text() for _ in range(blank))
            yield Text(f"{title}, the {section.first} {lines:,}" if lines < total else title, section.style)
            rows = list(islice(section.rows(self.board), lines))
            yield from (table.line(_step_cells(self.board, row, now_ms, "")) for row in rows)
            yield from (Text() for _ in range(lines - len(rows)))

    def _wishes(self, now_ms: int) -> list[tuple[Section, int]]:
        """The sections, and how many lines each could fill.

        Steps begin and end all the time: while the workflow runs, a section keeps for a while the most lines
        that it had use for, or else everything below it would jump.
        """
        wishes = []
        for section in SECTIONS:
            count = section.total(self.board)
            most, at_ms = self._most.get(section, (0, now_ms))
            if count >= most or self.board.finished or now_ms - at_ms > _KEEP_MS:
                most, at_ms = count, now_ms
            self._most[section] = most, at_ms
            if most:
                wishes.append((section, most))
        return wishes

    def _step_table(self, width: int, *, with_depth: bool) -> Table:
        depth = max(len(str(self.board.depths)), 2) if with_depth else 0
        fixed = [
            Column("", depth, right=True, gap=1),
            Column("", 1, gap=1),
            Column("state", 9),
            Column("try", 3),
            Column("time", 9, right=True),
        ]
        free = free_width(width, fixed) - 3  # a gap, and a margin at the right
        name = min(max(self._names, 12), max(free // 2, 12))
        actor = min(max(self._actors, 5), free // 5) if width >= WIDE else 0
        return Table(
            *fixed[:2],
            Column("step", name),
            Column("actor", actor),
            *fixed[2:],
            Column("note", free - name - actor - (2 if actor else 0)),
        )


def _board_head(board: Board, now_ms: int, width: int, folded: bool) -> Iterator[Text]:
    tally = board.tally
    yield title(board, now_ms, width)
    yield bar(tally, width)
    if folded:
        yield from _legend(tally, width)
    else:
        yield Text.assemble(" ", counted(LOOKS, tally.counts, width - 2))
    yield Text()


def _legend(tally: Tally, width: int) -> Iterator[Text]:
    """Counts of all states, also of those that no step is in, so that none ever changes its place."""
    digits = len(f"{tally.total:,}")
    least = 2 + digits + 1 + len("completed") + 1
    a_line = next((count for count in (8, 4, 2) if count * least < width), 1)
    cell = min((width - 1) // a_line, least + 2)
    looks = list(LOOKS.items())
    for start in range(0, len(looks), a_line):
        line = Text(" ")
        for state, (symbol, style) in looks[start : start + a_line]:
            count = tally.counts[state]
            text = f"{symbol} {count:>{digits},} {state.value}"
            line.append(f"{text:{cell}}", style if count else "dim")
        yield line


def _step_cells(board: Board, row: Row, now_ms: int, depth: str) -> Iterator[Cell]:
    symbol, style = look(LOOKS, row.state, now_ms)
    elapsed = row.elapsed(now_ms)
    yield depth, "dim"
    yield symbol, style
    yield row.name, "dim" if row.state is StepState.PENDING else ""
    yield row.actor, "dim"
    yield row.state.value, style
    yield f"#{row.attempt}" if row.attempt else "", "yellow" if row.attempt > 1 else "dim"
    yield "" if elapsed is None else duration(elapsed)
    yield note(board, row, now_ms), "red" if row.state is StepState.DISCARDED else "dim"
