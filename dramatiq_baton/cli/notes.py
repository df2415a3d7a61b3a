"""What is to be said of a step besides its state."""

from __future__ import annotations

from ..states import StepState
from .board import Board, Row
from .text import duration

# A pending step's note names the deps that it waits for, unless it has more than this.
_NAMED_DEPS = 8


def note(board: Board, row: Row, now_ms: int) -> str:
    """The reason for its state, or what it waits for; empty if there is nothing to say."""
    if row.state is StepState.PENDING and row.waiting and not row.reason:
        if len(row.deps) > _NAMED_DEPS:
            return f"waits for {row.waiting:,} of {len(row.deps):,} steps"
        steps = (board.steps[dep] for dep in row.deps if dep in board.steps)
        return "waits for " + ", ".join(step.name for step in steps if not step.state.settled)
    if row.state in (StepState.SNOOZED, StepState.RETRYABLE) and row.again_at is not None:
        left = row.again_at - now_ms
        again = f"again in {duration(left)}" if left > 0 else "again any moment"
        return f"{again}: {row.reason}" if row.reason else again
    if row.cached and not row.reason:
        return "the result was stored already"
    return row.reason
