"""What ``show`` writes into a pipe: every step on a line, nothing cut, for `grep` and `awk`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from rich.cells import cell_len

from ..states import StepState, StepStatus, WorkflowStatus
from .lines import word
from .printing import aligned
from .text import clean, moment, widest

_TITLES = ("step", "state", "try", "started", "duration", "actor", "reason")


def lines(status: WorkflowStatus, now_ms: int) -> Iterator[str]:
    """The workflow and its steps, in the order in which they were added."""
    end = now_ms if status.finished_at is None else status.finished_at
    counts = ", ".join(f"{count} {state}" for state, count in status.counts.items())
    yield from aligned(
        [
            ("workflow", clean(status.name)),
            ("id", clean(status.id)),
            ("state", status.state.value),
            ("steps", f"{status.total}: {counts}"),
            ("created", moment(status.created_at, between="T")),
            ("started", moment(status.started_at, between="T")),
            ("finished", _moment(status.finished_at)),
            ("duration", f"{max(end - status.started_at, 0)}ms"),
        ]
    )
    yield ""
    yield from aligned([_TITLES, *(_words(step, now_ms) for step in status.steps.values())])


def result_lines(results: Iterable[tuple[str, str]], names: Collection[str]) -> Iterator[str]:
    """The results, each whole, behind the name of its step."""
    yield ""
    width = widest(map(word, names), at_least=len("step"))
    yield f"{'step':{width}}  result"
    for name, result in results:
        step = word(name)
        yield f"{step}{' ' * (width - cell_len(step))}  {clean(result)}"


def _words(step: StepStatus, now_ms: int) -> tuple[str, ...]:
    return (
        word(step.name),
        step.state.value,
        str(step.attempt),
        _moment(step.started_at),
        _took(step, now_ms),
        word(step.actor),
        clean(step.reason) or "-",
    )


def _took(step: StepStatus, now_ms: int) -> str:
    end = now_ms if step.state is StepState.EXECUTING else step.finished_at
    if step.started_at is None or end is None:
        return "-"
    return f"{max(end - step.started_at, 0)}ms"


def _moment(ts_ms: int | None) -> str:
    return "-" if ts_ms is None else moment(ts_ms, between="T")
