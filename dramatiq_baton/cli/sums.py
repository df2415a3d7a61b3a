"""The sums of a workflow with many steps: a line for each actor, or for each at each depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rich.text import Text

from ..states import StepState
from .looks import LOOKS, TELLING, briefly_counted, done_of_total, look, progress_bar
from .progress import ActorTally
from .text import Cell, Column, Table, free_width


def sums(
    groups: Sequence[ActorTally], now_ms: int | None, width: int, *, depths: int, actors: int
) -> Iterator[Text]:
    """A line of titles, and one a group.

    Parameters:
      groups: The groups, by depth if they have one.
      now_ms: What time it is; ``None`` for a picture that stands still.
      width: The width of the terminal.
      depths: The number of depths that the workflow has.
      actors: How wide the names of its actors are.
    """
    table = _table(groups, width, depths, actors)
    yield table.titles()
    above: object = ()
    for group in groups:
        label = "" if group.depth == above else depth_label(group.depth)
        above = group.depth
        yield table.line(_cells(group, now_ms, label))


def depth_label(depth: int | None) -> str:
    """How a depth is called; people count from 1."""
    return "?" if depth is None else str(depth + 1)


def _table(groups: Sequence[ActorTally], width: int, depths: int, actors: int) -> Table:
    with_depth = any(group.depth is not None for group in groups)
    done = max((len(done_of_total(group)) for group in groups), default=0)
    fixed = [
        Column("", max(len(str(depths)), 2) if with_depth else 0, right=True, gap=1),
        Column("", 1, gap=1),
        Column("done", max(done, 4), right=True),
    ]
    free = free_width(width, fixed) - 5
    name = min(max(actors, 16), max(free // 3, 12))
    bar = min((free - name) // 3, 40)
    return Table(
        *fixed[:2],
        Column("actor", name),
        fixed[2],
        Column("", bar),
        Column("states", free - name - bar),
    )


def _cells(group: ActorTally, now_ms: int | None, depth: str) -> Iterator[Cell]:
    yield depth, "dim"
    yield look(LOOKS, next(state for state in TELLING if group.counts[state]), now_ms)
    yield group.actor
    yield done_of_total(group)
    yield partial(progress_bar, group)
    # How many have completed is in the bar and in front of it.
    others: dict[StepState, int] = {**group.counts, StepState.COMPLETED: 0}
    yield partial(briefly_counted, LOOKS, others)
