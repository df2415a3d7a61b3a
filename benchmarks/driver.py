"""Measures one system, in its own environment: ``python -m benchmarks.driver huey --processes 1 chain=200 fan=1000``.

The server's URL is in the environment. Each line of the output is one JSON object: first the versions, then one a
workload, with either its ``value`` or the ``error`` that came instead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import measuring, systems, workers
from .workloads import BY_KEY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=systems.NAMES)
    parser.add_argument("workloads", nargs="+", metavar="KEY=SIZE")
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    system = systems.load(arguments.system)
    versions = {package: version(package) for package in system.packages}
    say({"python": platform.python_version(), "versions": versions, "notes": system.notes})
    sizes = {key: int(size) for key, _, size in (pair.partition("=") for pair in arguments.workloads)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))  # and then the workers stop, too
    with workers.running(system, arguments.processes, arguments.log):
        for key, size in sizes.items():
            if not measured(system, key, size):
                break  # what is left of it would disturb the next
    os._exit(0)  # clients that tidy up now, one result at a time, would take a while


def measured(system: systems.System, key: str, size: int) -> bool:
    """Measure one workload and say how it went. Returns whether it went well."""
    workload = BY_KEY[key]
    if workload.kind in system.lacks:
        say({"workload": key, "error": system.lacks[workload.kind]})
        return True
    try:
        say({"workload": key} | measuring.measure(system, workload, size))
    except Exception as error:
        say({"workload": key, "error": f"{type(error).__name__}: {error}"})
        return False
    return True


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
