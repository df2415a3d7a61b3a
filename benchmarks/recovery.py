"""How long until the step of a killed worker runs again? And the message of a plain Dramatiq actor?

    .venv/bin/python benchmarks/recovery.py [--rounds 3] [--limit 120] [--json FILE]

Each round starts the bundled Valkey server and two ``dramatiq`` commands of one worker process each, all with
stock settings: ``RedisBroker(url=...)``, ``BatonMiddleware()``, no environment variables. It runs one actor that
works for longer than the round lasts, kills the command that runs it and its worker process with SIGKILL as soon
as the actor has started (its lease is new then, so this is the worst case), and measures until the actor starts in
the other, surviving worker process. The same is done with a plain actor on a broker without Baton, whose message
only Dramatiq's own maintenance gives back.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import redis

from dramatiq_baton.embedded import embedded_server

ROOT = Path(__file__).parents[1]
MODULE = "benchmarks.recovery_actors"
#: How long worker processes may take to start, and to take the first message, in seconds.
STARTING = 60
KINDS = {"baton": "a step of a workflow, dramatiq-baton", "plain": "a plain actor, Dramatiq alone"}


@dataclass(frozen=True)
class Start:
    """An actor was started: in which process, and when on the monotonic clock."""

    pid: int
    at: float


class Starts:
    """Tells of each start of the actor."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, decode_responses=True, socket_timeout=None)

    def next(self, timeout: float) -> Start | None:
        """Wait for the next start; ``None`` if there is none within ``timeout`` seconds."""
        found: Any = self._redis.blpop(["recovery:starts"], timeout=timeout)
        if found is None:
            return None
        pid, at = found[1].split()
        return Start(int(pid), float(at))


@contextmanager
def worker_command(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One ``dramatiq`` command with one worker process, in a process group of its own."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("dramatiq"), MODULE, "-p", "1", "--path", str(ROOT)],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and its worker process with SIGKILL, as the end of its machine would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_workers(client: redis.Redis, count: int) -> None:
    """Wait until so many worker processes ask the broker for messages, which they do under an id each."""
    deadline = time.monotonic() + STARTING
    while int(client.zcard("dramatiq:__heartbeats__")) < count:
        if time.monotonic() > deadline:
            raise SystemExit("the workers don't start")
        time.sleep(0.1)


def submit(env: dict[str, str]) -> None:
    """Have the actor run once."""
    subprocess.run([sys.executable, "-m", MODULE], cwd=ROOT, env=env, check=True)


def measure(kind: str, limit: float, log: Path) -> tuple[float | None, str]:
    """One round. Returns the seconds from the kill to the next start, if any, and the server's version."""
    with ExitStack() as stack:
        url = stack.enter_context(embedded_server())
        env = {name: value for name, value in os.environ.items() if not name.startswith("dramatiq_")}
        env |= {"RECOVERY_URL": url, "RECOVERY_KIND": kind}
        one, two = (stack.enter_context(worker_command(env, log)) for _ in range(2))
        client = stack.enter_context(redis.Redis.from_url(url, decode_responses=True))
        info: Any = client.info("server")
        server = f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"
        wait_for_workers(client, 2)
        starts = Starts(url)
        submit(env)
        first = starts.next(STARTING)
        if first is None:
            raise SystemExit(f"the actor was never started; see {log}")
        victim, survivor = (one, two) if os.getpgid(first.pid) == one.pid else (two, one)
        killed = time.monotonic()
        kill(victim)
        second = starts.next(limit)
        if second is None:
            return None, server
        if os.getpgid(second.pid) != survivor.pid:
            raise SystemExit(f"the actor was started again, but not in the surviving worker; see {log}")
        return second.at - killed, server


def summary(seconds: list[float | None], limit: float) -> dict[str, str]:
    """Median (the upper one, if there are two), least and most. Longer than the limit is all that is known."""
    known = [limit + 1 if second is None else second for second in seconds]

    def text(value: float) -> str:
        return f"> {limit:g} s" if value > limit else f"{value:.1f} s"

    return {"median": text(statistics.median_high(known)), "min": text(min(known)), "max": text(max(known))}


def machine() -> dict[str, str]:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model
        )
    return {
        "cores": str(os.cpu_count()),
        "cpu": model,
        "python": platform.python_version(),
        "dramatiq": version("dramatiq"),
        "dramatiq-baton": version("dramatiq-baton"),
        "redis-py": version("redis"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind (default: 3)")
    parser.add_argument(
        "--limit", type=float, default=120, help="seconds after which to give up (default: 120)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="write the workers' logs there")
    options = parser.parse_args()
    if options.rounds < 1 or options.limit <= 0:
        parser.error("--rounds must be at least 1, and --limit more than 0")

    measured: dict[str, list[float | None]] = {kind: [] for kind in KINDS}
    server = ""
    for number in range(1, options.rounds + 1):
        for kind, seconds in measured.items():
            second, server = measure(kind, options.limit, options.log)
            seconds.append(second)
            shown = f"> {options.limit:g} s" if second is None else f"{second:.2f} s"
            print(f"round {number}, {KINDS[kind]}: {shown}", file=sys.stderr, flush=True)

    about = {**machine(), "server": server}
    rows = {kind: summary(seconds, options.limit) for kind, seconds in measured.items()}
    print("From SIGKILL of a worker until what it ran runs again on another one; stock settings.\n")
    print(f"| {'':38} | rounds |  median |     min |     max |")
    print(f"|-{'-' * 38}-|-------:|--------:|--------:|--------:|")
    for kind, row in rows.items():
        print(
            f"| {KINDS[kind]:38} | {options.rounds:6} | {row['median']:>7} | {row['min']:>7} | {row['max']:>7} |"
        )
    print()
    print(", ".join(f"{name}: {value}" for name, value in about.items()))
    if options.json:
        content = {"limit": options.limit, "seconds": measured, "summary": rows, "machine": about}
        options.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
