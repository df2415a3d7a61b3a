"""What ``show`` tells of a workflow's calls to providers: what each model used and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ..money import shown
from ..usage import UsageReport, UsageSum
from .lines import word
from .printing import aligned
from .text import Column, Table, free_width, widest

_TITLES = ("model", "calls", "input", "output", "cache_read", "cache_write", "cost", "unpriced")


def lines(usage: UsageReport, width: int) -> Iterator[Text]:
    """A line a model, and one for all of them, in lines of *width* cells. None if there were no calls."""
    if not usage.calls:
        return
    sums = {**usage.by_model, "": usage.total}
    fixed = [
        Column("calls", max(len(f"{usage.total.calls:,}"), 5), right=True),
        Column("input", max(len(f"{usage.total.input_tokens:,}"), 6), right=True),
        Column("output", max(len(f"{usage.total.output_tokens:,}"), 6), right=True),
        Column("cost", max(len(_cost(used)) for used in sums.values()), right=True),
    ]
    budget = "" if usage.budget is None else f"of {shown(usage.budget)}"
    room = max(free_width(width, fixed) - len(budget) - 6, 8)
    table = Table(
        Column("", 1, gap=1),
        Column("model", min(widest(usage.by_model, at_least=8), room)),
        *fixed,
        Column("", len(budget)),
    )
    yield Text()
    yield table.titles()
    for model, used in sums.items():
        numbers = f"{used.calls:,}", f"{used.input_tokens:,}", f"{used.output_tokens:,}"
        yield table.line(("", model or ("in all", "dim"), *numbers, _cost(used), "" if model else budget))


def plain_lines(usage: UsageReport) -> Iterator[str]:
    """The same for a pipe: nothing rounded, nothing cut."""
    if not usage.calls:
        return
    yield ""
    rows = [_words(word(model), used) for model, used in usage.by_model.items()]
    yield from aligned([_TITLES, *rows, _words("total", usage.total)])
    if usage.budget is not None:
        yield f"budget {usage.budget}"


def as_json(usage: UsageReport) -> dict[str, Any]:
    """What a program is told. Amounts are text, so that no program rounds them unawares."""
    return {
        "budget": None if usage.budget is None else str(usage.budget),
        **_fields(usage.total),
        "by_model": {model: _fields(used) for model, used in usage.by_model.items()},
        "by_step": {step: _fields(used) for step, used in usage.by_step.items()},
    }


def _cost(used: UsageSum) -> str:
    if used.unpriced == used.calls:
        return "unpriced"
    return f"{shown(used.cost)}{f' + {used.unpriced:,} unpriced' if used.unpriced else ''}"


def _fields(used: UsageSum) -> dict[str, Any]:
    return {**asdict(used), "cost": f"{used.cost:f}"}


def _words(name: str, used: UsageSum) -> tuple[str, ...]:
    return (name, *(str(value) for value in _fields(used).values()))
