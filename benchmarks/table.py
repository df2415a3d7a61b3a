"""The results as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from typing import Any

from .goals import GOALS
from .results import Results


def render(results: Results) -> str:
    """All tables, in one document."""
    parts = ["\n".join(part(results)) for part in (_machine, _peers, _goals, _ours, _longest, _notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def number(value: float) -> str:
    """A number as people read it: with three figures that count, and with all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:.3g}"


def _machine(results: Results) -> Iterator[str]:
    machine = results.content["machine"]
    kind = "a quick round: sizes are smaller, spreads wide" if results.content["quick"] else "a full run"
    yield (
        f"{machine['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}, {machine['python']}, {machine['server']} on loopback without persistence. "
        f"Rounds: {results.content['rounds']} ({kind}); load before: {machine['load_before']:.1f}."
    )


def _peers(results: Results) -> Iterator[str]:
    yield "## Beside its peers"
    yield ""
    yield (
        "Median, spread (least to most), and in brackets how many times better dramatiq-baton is "
        "(below 1: the other one is better). ↓ less is better, ↑ more is."
    )
    yield ""
    titles = [_system_title(said) for said in results.systems.values()]
    yield from _head(["", *titles], right=len(titles))
    for workload in results.workloads.values():
        if not workload["ours"]:
            arrow = "↓" if workload["lower_is_better"] else "↑"
            cells = [_cell(workload["results"].get(name), said) for name, said in results.systems.items()]
            yield _row([f"{workload['title']}, {workload['unit']} {arrow}", *cells])


def _system_title(said: dict[str, Any]) -> str:
    versions = said.get("versions", {})
    first = next(iter(versions.values()), "")
    return f"{said['title']} {first}".strip()


def _cell(summary: dict[str, Any] | None, said: dict[str, Any]) -> str:
    if summary is None:
        return "can't be installed" if "error" in said else "not measured"
    if "median" not in summary:
        return "failed"
    lines = [f"**{number(summary['median'])}**"]
    if "ratio" in summary:
        lines[0] += f" ({number(summary['ratio'])} ×)"
    if summary["max"] > summary["min"]:
        lines.append(f"{number(summary['min'])} to {number(summary['max'])}")
    if "error" in summary:
        lines.append("failed in some rounds")
    return "<br>".join(lines)


def _goals(results: Results) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield from _head(["", "goal", "measured", "met"], right=2)
    for goal in GOALS:
        measured, met = goal.measure(results), goal.met(results)
        bound = "at most" if goal.lower else "at least"
        yield _row(
            [
                goal.title,
                f"{bound} {number(goal.limit)} {goal.unit}",
                "not measured" if measured is None else f"{number(measured)} {goal.unit}",
                {True: "yes", False: "**no**", None: ""}[met],
            ]
        )


def _ours(results: Results) -> Iterator[str]:
    rows = [
        [workload["title"], workload["unit"], *_known(results.summary(key))]
        for key, workload in results.workloads.items()
        if workload["ours"]
    ]
    inner = [
        run["with_those_in_scripts"] for run in results.summary("idle").get("runs", []) if "value" in run
    ]
    if inner:
        summary = {"median": statistics.median(inner), "min": min(inner), "max": max(inner)}
        rows.append(["an idle worker process, with what its scripts run", "commands/s", *_known(summary)])
    if rows:
        yield "## dramatiq-baton alone"
        yield ""
        yield from _head(["", "unit", "median", "least", "most"], right=3)
        yield from map(_row, rows)


def _known(summary: dict[str, Any]) -> list[str]:
    return [number(summary[name]) if name in summary else "failed" for name in ("median", "min", "max")]


def _longest(results: Results) -> Iterator[str]:
    found = list(results.longest())
    if not found:
        return
    yield "## The longest script or command of dramatiq-baton's"
    yield ""
    yield "By the server's slow log. On a busy machine that includes waiting for a core, and differs each time."
    yield ""
    yield from _head(["", "longest of all", "ms", "median of the rounds' longest, ms"], right=2)
    for key, longest in found:
        times = [number(longest[name] / 1000) for name in ("us", "median_us")]
        yield _row([results.workloads[key]["title"], longest["command"][:60], *times])


def _notes(results: Results) -> Iterator[str]:
    yield "## How each is set up"
    yield ""
    for said in results.systems.values():
        versions = ", ".join(f"{name} {version}" for name, version in said.get("versions", {}).items())
        text = [said["error"]] if "error" in said else [versions, *said.get("notes", ())]
        yield f"- **{said['title']}**: {'; '.join(text)}."
    failures = list(_failures(results))
    if failures:
        yield ""
        yield "What failed:"
        yield ""
        yield from failures


def _failures(results: Results) -> Iterator[str]:
    for workload in results.workloads.values():
        for name, summary in workload["results"].items():
            if "error" in summary:
                yield f"- {results.systems[name]['title']}, {workload['title']}: {summary['error']}"


def _head(titles: list[str], *, right: int) -> Iterator[str]:
    """The head of a table whose last columns, so many, hold numbers."""
    yield _row(titles)
    yield _row(["---"] * (len(titles) - right) + ["---:"] * right)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
