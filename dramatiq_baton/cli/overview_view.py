"""The live view of many workflows: an :class:`~.overview.Overview` as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rich.text import Text

from ..events import Event
from ..money import shown
from ..states import StepState, WorkflowState
from .looks import WIDE, WORKFLOW_LOOKS, counted, done_of_total, look, progress_bar
from .overview import Overview, WorkflowRow
from .picture import Picture
from .text import Cell, Column, Table, age, duration, free_width, widest


class OverviewView:
    """Shows many workflows, each in a line: those that run, then those that are through, the latest first.

    Parameters:
      overview: The workflows to show.
    """

    def __init__(self, overview: Overview) -> None:
        self.overview = overview

    def at(self, now_ms: int, *, height: int | None = None) -> Picture:
        """The workflows at *now_ms*, in at most *height* lines (by default the console's height)."""
        return Picture(lambda width, lines: self._compose(now_ms, width, lines), height)

    def _compose(self, now_ms: int, width: int, height: int) -> Iterator[Text]:
        rows = self.overview.rows
        states = dict.fromkeys(WorkflowState, 0)
        for row in rows:
            states[row.state] += 1
        title = f" {len(rows):,} workflow{'' if len(rows) == 1 else 's'}"
        counts = counted(WORKFLOW_LOOKS, states, width - len(title) - 3)
        yield Text.assemble((title, "bold"), "   ", counts)
        yield Text()
        if not rows:
            yield Text(" waiting for the first event", style="dim")
            return
        room = max(height - 3, 0)
        shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
        table = _workflow_table(shown, width)
        yield table.titles()
        for row in shown:
            yield table.line(_workflow_cells(row, now_ms))
        if len(shown) < len(rows):
            yield Text(f" … {len(rows) - len(shown):,} more", style="dim")


def _workflow_table(rows: Sequence[WorkflowRow], width: int) -> Table:
    wide = width >= WIDE
    failed = max((row.tally.counts[StepState.DISCARDED] for row in rows), default=0)
    fixed = [
        Column("", 1, gap=1),
        Column("state", 9),
        Column("", 20 if wide else 0),
        Column("done", max([4, *(len(done_of_total(row.tally)) for row in rows)]), right=True),
        Column("failed", max(len(f"{failed:,}"), 6) if failed else 0, right=True),
        Column("cost", max((len(_cost(row)) for row in rows), default=0), right=True),
        Column("time", 9 if wide else 0, right=True),
        Column("ago", 5, right=True),
    ]
    free = max(free_width(width, fixed) - 5, 0)
    # An id is there to be copied: it comes first if there is room for all of it. Cut it is of little use.
    ids = widest((row.id for row in rows), at_least=2)
    ids = ids if ids <= free * 2 // 5 else free // 4
    names = min(widest((row.name for row in rows), at_least=8), (free - ids) * 3 // 5)
    return Table(
        *fixed[:2],
        Column("workflow", names),
        Column("id", ids),
        *fixed[2:],
        Column("last event", free - ids - names),
    )


def _workflow_cells(row: WorkflowRow, now_ms: int) -> Iterator[Cell]:
    symbol, style = look(WORKFLOW_LOOKS, row.state, now_ms)
    failed = row.tally.counts[StepState.DISCARDED]
    yield symbol, style
    yield row.state.value, style
    yield row.name
    yield row.id, "dim"
    yield partial(progress_bar, row.tally)
    yield done_of_total(row.tally)
    yield f"{failed:,}" if failed else "", "bold red"
    yield _cost(row)
    yield duration(row.elapsed(now_ms)) if row.started_at else ""
    yield age(now_ms - row.last.ts) if row.last else "", "dim"
    yield _told(row.last) if row.last else "", "dim"


def _cost(row: WorkflowRow) -> str:
    return "" if row.cost is None else shown(row.cost)


def _told(event: Event) -> str:
    what = event.event.value.removeprefix("workflow_")
    return f"{event.step} {what}" if event.step else what
