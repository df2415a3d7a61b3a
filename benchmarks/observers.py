"""What observers cost a step, and that none cost nothing: CPU in submitter, worker and server, and round trips.

    .venv/bin/python benchmarks/observers.py [--rounds 3] [--against CHECKOUT] [--json FILE]

Runs the workloads of ``stages.py`` on its fast path: without observers; with ``PrometheusObserver``, counting in one
process; with ``OpenTelemetryObserver``, without an SDK and with one whose spans go nowhere. ``--against`` also measures
another checkout of this repository, say of the commit before observers came, which can't have any.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NONE = "no observers"
AGAINST = "the other checkout"
VARIANTS = {
    NONE: "",
    "Prometheus": "prometheus",
    "OpenTelemetry, no SDK": "opentelemetry-api",
    "OpenTelemetry, SDK": "opentelemetry-sdk",
}
CPU = ("submitter", "worker", "server")

HEADINGS = (
    *("workload", "observers", "ms a step", "round trips"),
    *("submitter CPU, µs", "worker CPU, µs", "server CPU, µs", "all CPU, ×"),
)

Found = dict[str, dict[str, float]]  # figures by workload, as stages.py measures them


def measure(checkout: Path, observers: str) -> Found:
    """Measure one variant, in a fresh process."""
    found: Found = json.loads(
        subprocess.check_output(
            [sys.executable, str(checkout / "benchmarks" / "stages.py"), "--one", "fast"],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), "STAGES_OBSERVERS": observers},
        )
    )
    return found


def rows(rounds: dict[str, list[Found]]) -> list[tuple[str, ...]]:
    """The medians of each workload and variant; CPU also beside that without observers."""
    found = []
    for workload in rounds[NONE][0]:
        for variant, measured in rounds.items():
            figures: dict[str, Any] = {
                name: statistics.median(one[workload][name] for one in measured)
                for name in ("ms", "trips", *CPU)
            }
            beside = [
                sum(one[workload][name] for name in CPU) / sum(none[workload][name] for name in CPU)
                for one, none in zip(measured, rounds[NONE], strict=True)
            ]
            found.append(
                (
                    *(workload, variant, f"{figures['ms']:.2f}", f"{figures['trips']:.2f}"),
                    *(f"{figures[name]:.0f}" for name in CPU),
                    f"{statistics.median(beside):.2f}",
                )
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="how many (3)")
    parser.add_argument("--against", type=Path, help="another checkout that is measured beside this one")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    options = parser.parse_args()
    sources = {variant: (ROOT, observers) for variant, observers in VARIANTS.items()}
    if options.against:
        sources = {AGAINST: (options.against.resolve(), ""), **sources}
    found: dict[str, list[Found]] = {variant: [] for variant in sources}
    for _ in range(options.rounds):
        for variant, source in sources.items():
            found[variant].append(measure(*source))
    for row in (HEADINGS, ("---",) * 2 + ("---:",) * 6, *rows(found)):
        print("| " + " | ".join(row) + " |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
