"""Worker processes: started by their system's own command, and known to be ready."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import probe
from .systems import System

ROOT = Path(__file__).parents[1]
#: How long they may take to be ready, in seconds.
STARTING = 30


class NotReady(Exception):
    """Worker processes didn't start."""


@contextmanager
def running(system: System, processes: int, log: Path) -> Iterator[None]:
    """Have so many worker processes run as long as the context lasts."""
    commands: list[subprocess.Popen[bytes]] = []
    with log.open("ab") as output:
        try:
            for command in system.worker_commands(processes) if processes else []:
                commands.append(
                    subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
                )
            _wait_until_ready(system, commands, processes)
            yield
        finally:
            for command in commands:
                _kill(command)


def _wait_until_ready(system: System, commands: list[subprocess.Popen[bytes]], processes: int) -> None:
    """Send greetings until each of the processes has taken one."""
    deadline = time.monotonic() + STARTING
    while len(set(probe.client().lrange(probe.READY, 0, -1))) < processes:
        if any(command.poll() is not None for command in commands):
            raise NotReady("a worker command ended before it was ready")
        if time.monotonic() > deadline:
            raise NotReady(f"the worker processes weren't ready within {STARTING} s")
        for _ in range(4 * processes):
            system.hello()
        time.sleep(0.1)


def _kill(command: subprocess.Popen[bytes]) -> None:
    """End a command and its processes at once: the server and all that is on it go, too."""
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    command.wait()
