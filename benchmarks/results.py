"""Results: the rounds' outcomes, put together, as they stand in ``latest.json``."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from .environments import OWN
from .systems import TITLES
from .workloads import Workload


class Results:
    """What was measured.

    Parameters:
      content: As :func:`put_together` makes it, and JSON gives it back.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    @property
    def systems(self) -> dict[str, dict[str, Any]]:
        return self.content["systems"]

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        return self.content["workloads"]

    def summary(self, workload: str, system: str = OWN) -> dict[str, Any]:
        """``median``, ``min``, ``max``, ``ratio``, or ``error``; empty if it wasn't measured at all."""
        return self.workloads.get(workload, {}).get("results", {}).get(system, {})

    def median(self, workload: str, system: str = OWN) -> float | None:
        return self.summary(workload, system).get("median")

    def longest(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """For each workload the command of ours that held the server longest.

        Yields:
          The workload's key, and ``command`` and ``us`` of the worst round, and ``median_us``: the median of the
          rounds' longest. A command that is too long is so in each round; one that waited for a core isn't.
        """
        for key, workload in self.workloads.items():
            runs = workload["results"].get(OWN, {}).get("runs", [])
            found = [run["longest"] for run in runs if run.get("longest")]
            if found:
                median = statistics.median(longest["us"] for longest in found)
                yield key, max(found, key=lambda longest: longest["us"]) | {"median_us": median}


def put_together(
    machine: dict[str, Any],
    systems: dict[str, dict[str, Any]],
    workloads: Sequence[Workload],
    runs: dict[str, dict[str, list[dict[str, Any]]]],
    *,
    quick: bool,
    rounds: int,
) -> Results:
    """Summarize what the rounds brought."""
    return Results(
        {
            "machine": machine,
            "quick": quick,
            "rounds": rounds,
            "systems": {name: {"title": TITLES[name]} | said for name, said in systems.items()},
            "workloads": {
                workload.key: {
                    "title": workload.title,
                    "unit": workload.unit,
                    "lower_is_better": workload.lower,
                    "size": workload.sized(quick),
                    "ours": workload.ours,
                    "results": _summaries(workload, runs[workload.key]),
                }
                for workload in workloads
                if runs[workload.key]
            },
        }
    )


def _summaries(workload: Workload, runs: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    found = {name: _summary(outcomes) for name, outcomes in runs.items()}
    ours = found.get(OWN, {}).get("median")
    for name, summary in found.items():
        if name != OWN and ours and summary.get("median"):
            theirs = summary["median"]
            summary["ratio"] = theirs / ours if workload.lower else ours / theirs
    return found


def _summary(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    values = [outcome["value"] for outcome in outcomes if "value" in outcome]
    errors = [outcome["error"] for outcome in outcomes if "error" in outcome]
    summary: dict[str, Any] = {"runs": outcomes}
    if errors:
        summary["error"] = f"failed in {len(errors)} of {len(outcomes)} rounds: {errors[-1]}"
    if values:
        summary |= {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return summary
