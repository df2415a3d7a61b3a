"""The commands ``dramatiq`` and ``dramatiq-baton``, and worker processes, which the first one starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from .forks import HASTE, ROOT, zygote

#: What the names of variables begin with that are read when a program starts.
READ_AT_START = ("PYTHON", "dramatiq_")


class Process(Protocol):
    """A command that runs, as :class:`subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...
    def send_signal(self, number: int, /) -> None: ...


def start(
    command: str,
    *args: str,
    env: dict[str, str],
    stdout: int,
    stderr: int,
    stdin: int | None = None,
    cwd: Path = ROOT,
    anew: bool = False,
) -> Process:
    """Start a command that is installed beside Python, in a session of its own.

    It is forked from a process that has imported already what it needs, unless ``env`` holds what is read earlier.

    Parameters:
      env: Environment variables besides those of this process.
      stdout, stderr: Where it writes.
      stdin: Where it reads; nowhere if not given.
      cwd: The folder that it is in.
      anew: Whether the executable itself is started in any case.
    """
    executable = str(Path(sys.executable).with_name(command))
    if not anew and command != "dramatiq-gevent" and not any(name.startswith(READ_AT_START) for name in env):
        return zygote().fork(
            "command", env, executable, *args, stdout=stdout, stderr=stderr, stdin=stdin, cwd=cwd
        )
    return subprocess.Popen(
        [executable, *args],
        env={**os.environ, **HASTE, **env},
        cwd=cwd,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


class WorkerProcess:
    """``dramatiq`` running a module of actors.

    Parameters:
      module: The module's dotted name, importable from the repository's root.
      env: Environment variables that tell the module what to connect to.
      processes, threads: As the command takes them.
      command: ``dramatiq`` or ``dramatiq-gevent``.
      path: The folder that the module is in.
      anew: Whether the executable itself is started, as :func:`start` has it.
    """

    def __init__(
        self,
        module: str,
        env: dict[str, str],
        *,
        processes: int = 1,
        threads: int = 4,
        command: str = "dramatiq",
        path: Path = ROOT,
        anew: bool = False,
    ) -> None:
        self._lines: list[str] = []
        self._changed = threading.Condition()
        output, written = os.pipe()
        arguments = [module, "-p", str(processes), "-t", str(threads), "--path", str(path)]
        self.process = start(
            command, *arguments, env=env, stdout=written, stderr=written, cwd=path, anew=anew
        )
        os.close(written)
        self._output = os.fdopen(output, encoding="utf-8")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._ready = "ready for action"
        self._asked_to_stop = False
        self._count = processes

    @property
    def log(self) -> str:
        """What it has logged so far."""
        with self._changed:
            return "".join(self._lines)

    def wait_ready(self) -> WorkerProcess:
        """Wait until all its processes take messages."""
        self.wait_log(lambda log: log.count(self._ready) >= self._count)
        return self

    def wait_log(self, condition: Callable[[str], bool] | str, timeout: float = 30) -> str:
        """Wait until the log is as it should be, and return it."""
        check = condition if callable(condition) else lambda log: condition in log
        with self._changed:
            arrived = self._changed.wait_for(lambda: check("".join(self._lines)), timeout)
            log = "".join(self._lines)
        assert arrived, f"the worker never logged what was waited for; its log:\n{log}"
        return log

    def children(self) -> list[int]:
        """The process ids of its workers, which run the actors."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def terminate(self) -> None:
        """Ask it to stop, and don't wait. It is asked only once: asked again, it would break off."""
        if not self._asked_to_stop and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._asked_to_stop = True

    def stop(self) -> str:
        """Ask it to stop, wait until it has, and return its log."""
        self.terminate()
        return self._gone()

    def wait_ended(self, timeout: float = 30) -> None:
        """Wait until it has ended because a worker process of its died. Its log may not tell: the end may be lost."""
        self.process.wait(timeout)

    def kill(self) -> str:
        """Kill it and its children, as a crash of the machine would."""
        if self.process.returncode is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self._gone()

    def _gone(self) -> str:
        try:
            self.process.wait(60)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(60)
        self._reader.join(10)
        self._output.close()
        return self.log

    def _read(self) -> None:
        for line in self._output:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
