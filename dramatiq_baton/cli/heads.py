"""What stands above the steps of a workflow."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from ..money import shown
from .looks import WORKFLOW_LOOKS, done_of_total, look, progress_bar
from .progress import Run, Tally
from .text import duration, fit


def title(run: Run, now_ms: int, width: int, *, still: bool = False) -> Text:
    """The workflow's name and id, at the right its state, what it cost, and how long it has been running, or ran.

    Parameters:
      run: The workflow.
      now_ms: What time it is.
      width: The width of the terminal.
      still: Whether the picture stands still, so that a spinner would make no sense.
    """
    symbol, style = look(WORKFLOW_LOOKS, run.state, None if still else now_ms)
    cost = "" if run.cost is None else f"  {shown(run.cost)}"
    right = Text.assemble((f"{symbol} {run.state.value}", style), cost, f"  {duration(run.elapsed(now_ms))} ")
    room = max(width - right.cell_len - 5, 0)
    # The name gives way to the id, which is what one copies, but in a live view not more than half.
    least = min(room, 8) if still else max(room // 2, min(room, 20))
    name = fit(run.name, max(room - cell_len(fit(run.id, room)), least))
    left = Text.assemble((name, "bold"), "  ", (fit(run.id, room - cell_len(name)), "dim"))
    return Text.assemble(" ", left, " " * (room + 4 - left.cell_len), right)


def bar(tally: Tally, width: int) -> Text:
    """The progress bar and its numbers."""
    percent = tally.settled * 100 // tally.total if tally.total else 0
    numbers = f"{done_of_total(tally):>{2 * len(f'{tally.total:,}') + 1}}  {percent:>3} %"
    return Text.assemble(" ", progress_bar(tally, width - len(numbers) - 4), f"  {numbers}")
