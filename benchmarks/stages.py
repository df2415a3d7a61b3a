"""What a step costs on each of Baton's paths: round trips, and CPU in the worker and in the server.

    .venv/bin/python benchmarks/stages.py [--rounds 3] [--json FILE]

Runs a chain of 200 steps, 1 -> 1000 -> 1 and 200 diamonds (a step, two after it, one after both) submitted one by one,
the latter two also on two worker processes, each of 8 threads, on the bundled Valkey, with three brokers in turn:
Dramatiq's own ``RedisBroker``; ours with a middleware that listens to what is enqueued; ours alone, where one script
does all. Then it says which keys take up how much of a step of 1 -> 10,000 -> 1, before any ran and after all have.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from dramatiq_baton import Workflow  # noqa: E402
from dramatiq_baton.embedded import embedded_server  # noqa: E402

MODULE = "benchmarks.stages_actors"
PATHS = {
    "stock": "Dramatiq's RedisBroker",
    "listened": "our RedisBroker, middleware listens",
    "fast": "our RedisBroker",
}
FIGURES = {
    "ms": "ms a step",
    "trips": "round trips a step",
    "submitter": "submitter CPU, µs",
    "worker": "worker CPU, µs",
    "server": "server CPU, µs",
}
#: What workers and submitters send by themselves; all else is run by scripts.
SENT = ("evalsha", "eval", "blpop")
MEMORY = " memory"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Meter:
    """Reads what has been spent so far."""

    client: redis.Redis
    command: subprocess.Popen[bytes]

    def read(self) -> dict[str, float]:
        stats: Any = self.client.info("commandstats")
        cpu: Any = self.client.info("cpu")
        children = Path(f"/proc/{self.command.pid}/task/{self.command.pid}/children").read_text().split()
        return {
            "ms": time.perf_counter() * 1000,
            "trips": sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in SENT),
            "submitter": time.process_time() * 1e6,
            "worker": sum(map(_cpu, children)) * 1e6,
            "server": (cpu["used_cpu_user"] + cpu["used_cpu_sys"]) * 1e6,
        }


def _cpu(pid: str) -> float:
    """Seconds that a process has computed."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def chain(actors: Any, length: int) -> Workflow:
    flow = Workflow("chain")
    value = flow.add("0", actors.start.message())
    for number in range(1, length):
        value = flow.add(str(number), actors.link.message(value))
    return flow


def fan(actors: Any, width: int) -> Workflow:
    flow = Workflow("fan")
    value = flow.add("start", actors.start.message())
    parts = [flow.add(str(number), actors.link.message(value)) for number in range(width)]
    flow.add("total", actors.total.message(parts))
    return flow


def diamond(actors: Any) -> Workflow:
    flow = Workflow("diamond")
    value = flow.add("first", actors.start.message())
    both = [flow.add(name, actors.link.message(value)) for name in ("left", "right")]
    flow.add("last", actors.total.message(both))
    return flow


def measure(flows: list[Workflow], meter: Meter) -> dict[str, float]:
    """Run workflows that are submitted one by one; what that took, per step."""
    before = meter.read()
    runs = [flow.run() for flow in flows]
    for run in runs:
        run.wait(timeout=120_000)
    after = meter.read()
    return {name: (after[name] - before[name]) / sum(map(len, flows)) for name in FIGURES}


@contextmanager
def workers(processes: int) -> Iterator[subprocess.Popen[bytes]]:
    """So many worker processes of 8 threads."""
    command = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("dramatiq"), MODULE, "--path", str(ROOT)),
            *("-p", str(processes), "-t", "8"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield command
    finally:
        os.killpg(command.pid, signal.SIGKILL)
        command.wait()


def run_one(path: str, url: str) -> dict[str, dict[str, float]]:
    """Measure one path in this process, which must be a fresh one: actors are declared once."""
    actors = importlib.import_module(MODULE)
    found = {}
    for processes, more in ((1, ""), (2, ", 2 processes")):
        with workers(processes) as command:
            meter = Meter(redis.Redis.from_url(url), command)
            for flow in (chain(actors, 20), fan(actors, 100)):
                flow.run().wait(timeout=60_000)
            if processes == 1:
                found["chain of 200"] = measure([chain(actors, 200)], meter)
            found[f"1 -> 1000 -> 1{more}"] = measure([fan(actors, 1000)], meter)
            diamonds = [diamond(actors) for _ in range(200)]
            found[f"200 diamonds{more}"] = measure(diamonds, meter)
    return found


def memory(url: str) -> dict[str, dict[str, float]]:
    """Bytes a step by the key that they are in: before any step ran, and after all have."""
    actors, client = importlib.import_module(MODULE), redis.Redis.from_url(url)
    flow = fan(actors, 10_000)
    run = flow.run()
    pending = _bytes(client, run.id, len(flow))
    with workers(1):
        run.wait(timeout=120_000)
    return {"pending": pending, "settled": _bytes(client, run.id, len(flow))}


def _bytes(client: redis.Redis, workflow_id: str, steps: int) -> dict[str, float]:
    keys: Any = client.keys("baton:*")
    names = {key: key.decode().replace(f"{{{workflow_id}}}", "{id}") for key in keys}
    found = {name: client.memory_usage(key, samples=0) / steps for key, name in names.items()}
    return {name: size for name, size in sorted(found.items()) if size > 1}


def _in_a_fresh_process(what: str) -> Any:
    return json.loads(subprocess.check_output([sys.executable, __file__, "--one", what], cwd=ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="how many (3)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with embedded_server() as url:
            os.environ.update(STAGES_URL=url, STAGES_PATH=options.one.removesuffix(MEMORY))
            print(json.dumps(memory(url) if options.one.endswith(MEMORY) else run_one(options.one, url)))
        return
    found: dict[str, list[dict[str, dict[str, float]]]] = {path: [] for path in PATHS}
    for _ in range(options.rounds):
        for path in PATHS:
            found[path].append(_in_a_fresh_process(path))
    print("| | " + " | ".join(FIGURES.values()) + " |")
    print("|---|" + "---:|" * len(FIGURES))
    for workload in found["fast"][0]:
        for path, title in PATHS.items():
            medians = [statistics.median(one[workload][name] for one in found[path]) for name in FIGURES]
            print(
                f"| {workload}, {title} | "
                + " | ".join(f"{median:,.0f}" if median > 100 else f"{median:.3g}" for median in medians)
                + " |"
            )
    sizes = _in_a_fresh_process(f"fast{MEMORY}")
    print("\n| bytes a step in | pending | settled |\n|---|---:|---:|")
    for name in sizes["settled"]:
        print(f"| `{name}` | {sizes['pending'].get(name, 0):.0f} | {sizes['settled'][name]:.0f} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
