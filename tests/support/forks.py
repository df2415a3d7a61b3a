"""Processes forked from a zygote (:mod:`tests.support.zygote`), to be killed without much ado."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

from .processes import ROOT


class Forked:
    """A forked process. Its handle can't be mistaken for that of a later process with the same id."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # dead already
            self._handle = None

    @property
    def alive(self) -> bool:
        """Whether nobody has waited for its end yet."""
        return self._handle is not None

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal; to one that has died, nothing."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def wait(self, timeout: float = 30) -> None:
        """Wait until it has died."""
        if self._handle is None:
            return
        gone = select.poll()
        gone.register(self._handle, select.POLLIN)
        assert gone.poll(timeout * 1000), f"process {self.pid} doesn't die; its log:\n{self.log}"
        os.close(self._handle)
        self._handle = None

    def kill(self) -> None:
        """Kill it and wait until it is dead."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        self.signal(signal.SIGTERM)
        self.wait()


class Zygote:
    """The parent of all forked processes.

    Parameters:
      logs: The folder for their logs.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            cwd=ROOT,
            env={**os.environ, "dramatiq_restart_delay": "50", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, role: str, env: dict[str, str], *args: str) -> Forked:
        """Start a process.

        Parameters:
          role: ``work`` or ``submit``.
          env: Environment variables for it.
          args: What its role takes.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._count += 1
            log = self._logs / f"{self._count}.log"
            order = {"role": role, "env": env, "args": args, "log": str(log)}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "the zygote has died"
        return Forked(int(answer), log)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
