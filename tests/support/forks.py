"""Processes forked from a zygote (:mod:`tests.support.zygote`): they start at once, and end without much ado."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Workers look for messages, and for a server that was away, more often than they do by default.
HASTE = {"dramatiq_worker_timeout": "50", "dramatiq_restart_delay": "50"}


class Forked:
    """A forked process. Its handle can't be mistaken for that of a later process with the same id.

    Parameters:
      pid: Its id.
      report: Where the zygote writes how it ended.
      log: What it writes to, if that is a file.
    """

    def __init__(self, pid: int, report: int, log: Path | None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._report = report
        self._log = log
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # dead already
            self._handle = None

    @property
    def alive(self) -> bool:
        """Whether nobody has waited for its end yet."""
        return self.returncode is None

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log is not None else ""

    def send_signal(self, number: int) -> None:
        """Send a signal; to one that has died, nothing."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def poll(self) -> int | None:
        """How it ended: its exit code, or the number of the signal that killed it, below 0; ``None`` if it lives."""
        return self._ended(0)

    def wait(self, timeout: float = 30) -> int:
        """Wait until it has died; how it ended."""
        code = self._ended(timeout)
        assert code is not None, f"process {self.pid} doesn't die; its log:\n{self.log}"
        return code

    def kill(self) -> None:
        """Kill it and wait until it is dead."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        self.send_signal(signal.SIGTERM)
        self.wait()

    def _ended(self, timeout: float) -> int | None:
        if self.returncode is None:
            told = select.poll()
            told.register(self._report, select.POLLIN)
            if told.poll(timeout * 1000):
                self.returncode = int(os.read(self._report, 16))
                os.close(self._report)
                if self._handle is not None:
                    os.close(self._handle)
                    self._handle = None
        return self.returncode


class Zygote:
    """The parent of all forked processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.zygote", str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, **HASTE, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # so that it outlives this process, and ends the forks
            )

    def fork(
        self,
        role: str,
        env: dict[str, str],
        *args: str,
        stdout: int,
        stderr: int,
        stdin: int | None = None,
        cwd: Path = ROOT,
        log: Path | None = None,
    ) -> Forked:
        """Start a process, in a session of its own.

        Parameters:
          role: A function of :mod:`tests.support.zygote`.
          env: Its environment variables besides those of this process.
          args: What its role takes.
          stdout, stderr: Where it writes.
          stdin: Where it reads; nowhere if not given.
          cwd: The folder that it is in.
          log: What it writes to, if that is a file.
        """
        order = {"role": role, "env": {**os.environ, **env}, "args": args, "cwd": str(cwd)}
        report, theirs = os.pipe()
        with self._lock:
            handles = [self._nothing if stdin is None else stdin, stdout, stderr, theirs]
            socket.send_fds(self._orders, [json.dumps(order).encode()], handles)
            answer = self._orders.recv(16)
        os.close(theirs)
        assert answer, "the zygote has died"
        return Forked(int(answer), report, log)

    def close(self) -> None:
        self._orders.close()
        os.close(self._nothing)
        self._process.wait(10)


@cache
def zygote() -> Zygote:
    """This process's zygote."""
    made = Zygote()
    atexit.register(made.close)
    return made
