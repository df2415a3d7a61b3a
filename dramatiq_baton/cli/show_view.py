"""What ``show`` puts on a terminal: a workflow as it is now, in a picture that stands still."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from rich.cells import cell_len
from rich.text import Text

from ..states import StepState
from .board import Board, Row
from .folding import SECTIONS, Section, groups_of
from .heads import bar, title
from .looks import LOOKS, counted, look
from .notes import note
from .sums import sums
from .text import Cell, Column, Table, clean, duration, free_width, moment, widest, wrapped

#: A workflow of more steps than this is summed up.
MOST_STEPS = 100
# The sums by depth are shown if they take no more than half of so many lines; else those by actor.
_ROOM_FOR_SUMS = 40
# So many steps of each kind are listed below the sums.
_LISTED = 10
# From this width there is room for a column with the actors.
_WITH_ACTORS = 100
# A reason that doesn't fit beside its step gets so many lines below it.
_REASON_LINES = 3
_BELOW = "     "

# What was cancelled explains itself by what failed, but not where nothing did.
_CANCELLED = Section("cancelled", (StepState.CANCELLED,), "latest")
# The states whose reasons are worth lines of their own.
_TELLING = (StepState.DISCARDED, StepState.RETRYABLE)


def lines(board: Board, now_ms: int, width: int, *, everything: bool) -> Iterator[Text]:
    """The workflow, in lines of *width* cells.

    Parameters:
      board: The workflow.
      now_ms: What time it is.
      width: The width of the terminal.
      everything: Whether each step gets a line, however many there are.
    """
    yield title(board, now_ms, width, still=True)
    yield Text(f" {_times(board)}", "dim")
    yield bar(board.tally, width)
    yield Text.assemble(" ", counted(LOOKS, board.tally.counts, width - 2))
    yield Text()
    if everything or len(board.rows) <= MOST_STEPS:
        yield from _steps(board, board.rows, _table(board, board.rows, width), now_ms, width)
        return
    groups = groups_of(board, _ROOM_FOR_SUMS)
    yield from sums(groups, None, width, depths=board.depths, actors=widest(board.by_actor))
    listed = [(section, list(islice(section.rows(board), _LISTED))) for section in _sections(board)]
    table = _table(board, [row for _, rows in listed for row in rows], width)
    for section, rows in listed:
        yield Text()
        total = section.total(board)
        heading = f" {section.title} {total:,}"
        yield Text(
            f"{heading}, the {section.first} {len(rows):,}" if len(rows) < total else heading, section.style
        )
        yield from _steps(board, rows, table, now_ms, width, titles=section is listed[0][0])
    yield Text()
    yield Text(f" --all shows every one of the {len(board.rows):,} steps", "dim")


def result_lines(results: Iterable[tuple[str, str]], names: Collection[str], width: int) -> Iterator[Text]:
    """The results, each on a line behind the name of its step."""
    name = min(widest(names, at_least=6), max(width // 3, 12))
    table = Table(Column("step", name), Column("result", max(width - name - 4, 0)))
    yield Text()
    yield table.titles()
    for step, result in results:
        yield table.line((step, result))


def _times(board: Board) -> str:
    begun = moment(board.started_at)
    if board.finished_at is None:
        return f"started {begun}"
    ended = moment(board.finished_at)
    return f"started {begun}, finished {_without_day(ended, begun)}"


def _without_day(ended: str, begun: str) -> str:
    day = len("YYYY-MM-DD ")
    return ended[day:] if ended[:day] == begun[:day] else ended


def _sections(board: Board) -> Iterator[Section]:
    failed, *others = (section for section in SECTIONS if StepState.COMPLETED not in section.states)
    first = failed if failed.total(board) else _CANCELLED
    yield from (section for section in (first, *others) if section.total(board))


def _table(board: Board, rows: Sequence[Row], width: int) -> Table:
    fixed = [
        Column("", 1, gap=1),
        Column("state", 9),
        Column("try", 3),
        Column("started", max((len(_started(board, row)) for row in rows), default=0), right=True),
        Column("time", 9, right=True),
    ]
    free = free_width(width, fixed) - 3  # a gap, and a margin at the right
    name = min(widest((row.name for row in rows), at_least=8), max(free // 2, 12))
    actors = min(widest(board.by_actor, at_least=5), free // 5) if width >= _WITH_ACTORS else 0
    room = max(free - name - actors - (2 if actors else 0), 0)
    return Table(fixed[0], Column("step", name), Column("actor", actors), *fixed[1:], Column("note", room))


def _steps(
    board: Board, rows: Sequence[Row], table: Table, now_ms: int, width: int, *, titles: bool = True
) -> Iterator[Text]:
    if titles:
        yield table.titles()
    room = table.columns[-1].width if table.columns[-1].title == "note" else 0
    for row in rows:
        text = note(board, row, now_ms)
        below = row.state in _TELLING and cell_len(clean(text[: 8 * width])) > room
        style = "red" if row.state is StepState.DISCARDED else "dim"
        yield table.line(_cells(board, row, now_ms, ("" if below else text, style)))
        if below:
            parts = wrapped(text, width - len(_BELOW) - 1, _REASON_LINES)
            yield from (Text.assemble(_BELOW, (part, style)) for part in parts)


def _started(board: Board, row: Row) -> str:
    if row.started_at is None:
        return ""
    return _without_day(moment(row.started_at), moment(board.started_at))


def _cells(board: Board, row: Row, now_ms: int, note: Cell) -> Iterator[Cell]:
    symbol, style = look(LOOKS, row.state, None)
    elapsed = row.elapsed(now_ms)
    yield symbol, style
    yield row.name, "dim" if row.state is StepState.PENDING else ""
    yield row.actor, "dim"
    yield row.state.value, style
    yield f"#{row.attempt}" if row.attempt else "", "yellow" if row.attempt > 1 else "dim"
    yield _started(board, row), "dim"
    yield "" if elapsed is None else duration(elapsed)
    yield note
