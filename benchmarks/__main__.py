"""Compare dramatiq-baton with its peers.

Writes latest.json, table.md and charts into the output folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import click

from . import machine, table
from .environments import NotInstalled, python_of
from .results import Results, put_together
from .rounds import ROOT, Rounds
from .systems import NAMES
from .workloads import BY_KEY, WORKLOADS

OUTPUT = Path(__file__).with_name("results")


def _chosen(known: tuple[str, ...], what: str, chosen: str | None) -> tuple[str, ...]:
    names = tuple(known) if chosen is None else tuple(chosen.split(","))
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint=what)
    return names


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="One round of what is measured fast, in less than two minutes.")
@click.option("--rounds", type=click.IntRange(1), help="How many rounds: 3, or 1 if quick.")
@click.option("--systems", metavar="NAME,...", help=f"Of {', '.join(NAMES)}.")
@click.option("--workloads", metavar="KEY,...", help=f"Of {', '.join(BY_KEY)}.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=OUTPUT, show_default=True)
def main(quick: bool, rounds: int | None, systems: str | None, workloads: str | None, output: Path) -> None:
    names = _chosen(NAMES, "--systems", systems)
    keys = _chosen(tuple(BY_KEY), "--workloads", workloads)
    chosen = [workload for workload in WORKLOADS if workload.key in keys]
    rounds = rounds or (1 if quick else 3)
    described = machine.describe()
    run = Rounds(names, chosen, quick=quick)
    run.prepare()
    started = time.monotonic()
    for number in range(rounds):
        click.echo(f"round {number + 1} of {rounds}", err=True)
        run.run(number)
    described["seconds"] = round(time.monotonic() - started)
    results = put_together(described, run.systems, chosen, run.runs, quick=quick, rounds=rounds)
    _write(results, output)
    click.echo(table.render(results))


def _write(results: Results, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    latest = output / "latest.json"
    latest.write_text(json.dumps(results.content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (output / "table.md").write_text(table.render(results), "utf-8")
    try:
        python = python_of("charts")
    except NotInstalled as error:
        click.echo(f"no charts: {error}", err=True)
        return
    done = subprocess.run([python, "-m", "benchmarks.charts", latest, output], cwd=ROOT)
    if done.returncode:
        sys.exit("no charts; see above")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
