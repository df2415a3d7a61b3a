"""Rounds: each system in turn on a fresh server, one workload after another, and all of it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import probe
from .environments import OWN, NotInstalled, python_of
from .server import fresh_server
from .systems import NAMES
from .workloads import LONG_PATIENCE, Workload

ROOT = Path(__file__).parents[1]
#: What starting and stopping may take beside the workloads themselves, in seconds.
AROUND = 60


@dataclass(frozen=True)
class Session:
    """Workloads that are measured one after another on the same worker processes and server."""

    processes: int
    workloads: tuple[Workload, ...]


def sessions(workloads: Sequence[Workload], *, quick: bool) -> list[Session]:
    """Each workload by itself; in a quick round, where starting would take longest, those that may share."""
    if not quick:
        return [Session(workload.processes, (workload,)) for workload in workloads]
    found: list[Session] = []
    for processes in (0, 1, 2):
        for ours in (False, True):
            alike = [
                w for w in workloads if w.processes == processes and w.ours_only(True) == ours and w.quick
            ]
            if alike:
                found.append(Session(processes, tuple(alike)))
    return found


class Rounds:
    """Runs rounds and remembers what came out.

    Parameters:
      systems: Which systems.
      workloads: Which workloads.
      quick: Whether to measure as little as will do.
    """

    def __init__(self, systems: Sequence[str], workloads: Sequence[Workload], *, quick: bool) -> None:
        self._workloads = workloads
        self._quick = quick
        self._pythons: dict[str, Path] = {}
        #: What each system says of itself, or ``error``: why it can't be measured.
        self.systems: dict[str, dict[str, Any]] = {name: {} for name in NAMES if name in systems}
        #: What was measured: by workload and system the outcome of each round, a ``value`` or an ``error``.
        self.runs: dict[str, dict[str, list[dict[str, Any]]]] = {workload.key: {} for workload in workloads}

    def prepare(self) -> None:
        """Make the environments."""
        for name, said in self.systems.items():
            try:
                self._pythons[name] = python_of(name)
            except NotInstalled as error:
                said["error"] = f"can't be installed: {error}"
                print(f"{name}: {said['error']}", file=sys.stderr)

    def run(self, number: int) -> None:
        """One round. Each begins with another system, so that none always has the same before it."""
        names = list(self._pythons)
        names = names[number % len(names) :] + names[: number % len(names)]
        for session in sessions(self._workloads, quick=self._quick):
            for name in names:
                if name == OWN or not session.workloads[0].ours_only(self._quick):
                    self._run_session(name, session)

    def _run_session(self, name: str, session: Session) -> None:
        found: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            errors, log = Path(folder) / "driver.log", Path(folder) / "workers.log"
            for line in self._drive(name, session, errors, log):
                if "workload" in line:
                    found[line.pop("workload")] = line
                else:
                    self.systems[name].update(line)
            said = "; ".join(filter(None, (_last_line(errors), _last_line(log))))
        for workload in session.workloads:
            outcome = found.get(workload.key) or {"error": f"not measured: {said}"[:400]}
            if name != OWN:
                outcome.pop("commands", None)
            self.runs[workload.key].setdefault(name, []).append(outcome)
            value = f"{outcome['value']:,.2f} {workload.unit}" if "value" in outcome else outcome["error"]
            print(f"  {name:18} {workload.title:40} {value}", file=sys.stderr, flush=True)

    def _drive(self, name: str, session: Session, errors: Path, log: Path) -> Iterator[dict[str, Any]]:
        """Run the driver in the system's environment. Yields the lines of its report."""
        sizes = [f"{workload.key}={workload.sized(self._quick)}" for workload in session.workloads]
        command = [self._pythons[name], "-m", "benchmarks.driver", name, *sizes]
        with fresh_server() as url, errors.open("ab") as output:
            process = subprocess.Popen(
                [*command, "--processes", str(session.processes), "--log", log],
                cwd=ROOT,
                env=os.environ | {probe.URL: url, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
            try:
                report, _ = process.communicate(timeout=LONG_PATIENCE + AROUND)
            except subprocess.TimeoutExpired:
                output.write(b"not done in time\n")
                process.terminate()
                report, _ = process.communicate()
        for line in report.splitlines():
            if line.startswith("{"):
                yield json.loads(line)


def _last_line(path: Path) -> str:
    lines = path.read_text("utf-8", "replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else ""
