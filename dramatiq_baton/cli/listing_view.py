"""Workflows as lines: a table on a terminal, words in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from ..states import StepState
from ..store.catalogue import Entry
from .lines import word
from .looks import WIDE, WORKFLOW_LOOKS, done_of_total, look
from .picture import WHOLE
from .printing import aligned
from .progress import Tally
from .text import Cell, Column, Table, age, clean, duration, free_width, moment, widest

# A name is of little use if less of it is shown.
_LEAST_NAME = 12


def lines(entries: Sequence[Entry], now_ms: int, width: int, *, titles: bool) -> Iterator[Text]:
    """A line a workflow, for a terminal; two where the ids are too long to stand beside the rest."""
    table, ids_below = _table(entries, width)
    if titles:
        yield table.titles()
    for entry in entries:
        yield table.line(_cells(entry, now_ms))
        if ids_below:
            yield Text(f"   {clean(entry.id)}", "dim", overflow=WHOLE)


def plain_lines(entries: Sequence[Entry], now_ms: int) -> Iterator[str]:
    """A line a workflow, for a pipe: id, state, steps done of all, failed ones, submitted at, duration, name.

    Nothing is cut; times are local, durations in milliseconds.
    """
    return aligned([_words(entry, now_ms) for entry in entries])


def _table(entries: Sequence[Entry], width: int) -> tuple[Table, bool]:
    """The table, and whether the ids have to stand below the lines."""
    tallies = [_tally(entry) for entry in entries]
    failed = max(tally.counts[StepState.DISCARDED] for tally in tallies)
    wide = width >= WIDE
    symbol, state = Column("", 1, gap=1), Column("state", 9 if wide else 0)
    done = Column("done", max(4, *(len(done_of_total(tally)) for tally in tallies)), right=True)
    fails = Column("failed", max(len(f"{failed:,}"), 6) if failed else 0, right=True)
    created = Column("created", 19 if wide else 0)
    time, ago = Column("time", 9, right=True), Column("ago", 5, right=True)
    ids = max(cell_len(clean(entry.id)) for entry in entries)
    names = widest((entry.name for entry in entries), at_least=8)
    least = min(names, _LEAST_NAME)

    def free(*columns: Column) -> int:
        """What is left for name and id, each with its gap, if the gap behind the last column is cut."""
        return free_width(width, [symbol, state, *columns]) - 2

    # An id is there to be copied: everything else gives way to it.
    columns = [done, fails, created, time, ago]
    if free(*columns) < ids + least:
        columns = [done, fails, created, ago]
    ids_below = free(*columns) < ids + min(least, 8)
    room = free(*columns) if ids_below else free(*columns) - ids
    return Table(
        symbol,
        state,
        Column("workflow", max(min(names, room), 1)),
        Column("id", 0 if ids_below else ids),
        *(column if column in columns else Column("", 0) for column in (done, fails, created, time, ago)),
    ), ids_below


def _cells(entry: Entry, now_ms: int) -> Iterator[Cell]:
    symbol, style = look(WORKFLOW_LOOKS, entry.state, None)
    tally = _tally(entry)
    failed = tally.counts[StepState.DISCARDED]
    yield symbol, style
    yield entry.state.value, style
    yield entry.name
    yield entry.id, "dim"
    yield done_of_total(tally)
    yield f"{failed:,}" if failed else "", "bold red"
    yield moment(entry.created_at), "dim"
    yield duration(_took(entry, now_ms))
    yield age(now_ms - entry.created_at), "dim"


def _words(entry: Entry, now_ms: int) -> tuple[str, ...]:
    tally = _tally(entry)
    return (
        word(entry.id),
        entry.state.value,
        f"{tally.settled}/{tally.total}",
        str(tally.counts[StepState.DISCARDED]),
        moment(entry.created_at, between="T"),
        f"{_took(entry, now_ms)}ms",
        clean(entry.name),
    )


def _tally(entry: Entry) -> Tally:
    return Tally(entry.total, dict.fromkeys(StepState, 0) | entry.counts)


def _took(entry: Entry, now_ms: int) -> int:
    end = now_ms if entry.finished_at is None else entry.finished_at
    return max(end - entry.started_at, 0)
