"""How states look: symbols, colours, counts and bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rich.text import Text

from ..states import StepState, WorkflowState
from .progress import Tally

State = TypeVar("State", StepState, WorkflowState)

_RUNNING = "●"  # shown as a spinner where one thing, not a number of them, is running
# Symbol and style of each state, in the order in which counts and the parts of a bar follow one another.
LOOKS: dict[StepState, tuple[str, str]] = {
    StepState.COMPLETED: ("✓", "green"),
    StepState.DISCARDED: ("✗", "bold red"),
    StepState.CANCELLED: ("⊘", "magenta"),
    StepState.EXECUTING: (_RUNNING, "cyan"),
    StepState.RETRYABLE: ("↻", "yellow"),
    StepState.SNOOZED: ("◐", "blue"),
    StepState.QUEUED: ("○", ""),
    StepState.PENDING: ("·", "dim"),
}
WORKFLOW_LOOKS: dict[WorkflowState, tuple[str, str]] = {
    WorkflowState.EXECUTING: LOOKS[StepState.EXECUTING],
    WorkflowState.COMPLETED: LOOKS[StepState.COMPLETED],
    WorkflowState.FAILED: LOOKS[StepState.DISCARDED],
    WorkflowState.CANCELLED: LOOKS[StepState.CANCELLED],
}
# The first of these that any of many steps is in tells most about all: what goes on, then how it went.
TELLING = (
    StepState.EXECUTING,
    StepState.RETRYABLE,
    StepState.SNOOZED,
    StepState.QUEUED,
    StepState.PENDING,
    StepState.DISCARDED,
    StepState.CANCELLED,
    StepState.COMPLETED,
)
# What a bar is drawn with. Not by colour alone: some terminals have none, some eyes see none.
_BAR = {
    StepState.COMPLETED: "━",
    StepState.DISCARDED: "━",
    StepState.CANCELLED: "━",
    StepState.EXECUTING: "╍",
}
_BAR_REST = "─"

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPINNER_MS = 100

# What becomes of the view's own characters where the terminal's encoding isn't a Unicode one.
ASCII = str.maketrans("✓✗⊘●↻◐○·━╍─…├└│↓×" + _SPINNER, "vx/*~zo.=--.+`||x" + "*" * len(_SPINNER))

# The width from which there is room for columns that are nice to have.
WIDE = 120


def look(looks: Mapping[State, tuple[str, str]], state: State, now_ms: int | None) -> tuple[str, str]:
    """The symbol, at *now_ms* or (``None``) on a picture that stands still, and the style of a state."""
    symbol, style = looks[state]
    if symbol == _RUNNING and now_ms is not None:
        symbol = _SPINNER[now_ms // _SPINNER_MS % len(_SPINNER)]
    return symbol, style


def counted(looks: Mapping[State, tuple[str, str]], counts: Mapping[State, int], width: int) -> Text:
    """The counts that aren't 0, with the names of the states if there is room for them."""
    named = Text("   ").join(
        Text(f"{symbol} {counts[state]:,} {state.value}", style)
        for state, (symbol, style) in looks.items()
        if counts[state]
    )
    return named if named.cell_len <= width else briefly_counted(looks, counts, width)


def briefly_counted(looks: Mapping[State, tuple[str, str]], counts: Mapping[State, int], width: int) -> Text:
    """The counts that aren't 0, by symbol alone."""
    brief = Text("  ").join(
        Text(f"{symbol} {counts[state]:,}", style)
        for state, (symbol, style) in looks.items()
        if counts[state]
    )
    brief.truncate(max(width, 0), overflow="ellipsis")
    return brief


def progress_bar(tally: Tally, width: int) -> Text:
    """A progress bar of *width* cells, in which everything that there is has at least a cell."""
    if width <= 0:
        return Text()
    parts = [(tally.counts[state], char, LOOKS[state][1]) for state, char in _BAR.items()]
    parts.append((tally.total - sum(count for count, _, _ in parts), _BAR_REST, "dim"))
    cells = []
    gone = end = 0
    for count, _, _ in parts:
        gone += count
        start, end = end, gone * width // (tally.total or 1)
        cells.append(end - start)
    for index, (count, _, _) in enumerate(parts):
        if count and not cells[index] and max(cells) > 1:
            cells[cells.index(max(cells))] -= 1
            cells[index] = 1
    if not tally.total:
        cells[-1] = width
    return Text.assemble(*((char * size, style) for (_, char, style), size in zip(parts, cells, strict=True)))


def done_of_total(tally: Tally) -> str:
    """How many steps are done for good, of how many."""
    return f"{tally.settled:,}/{tally.total:,}"
