"""Worker processes, started with the ``dramatiq`` command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """``dramatiq`` running a module of actors.

    Parameters:
      module: The module's dotted name, importable from the repository's root.
      env: Environment variables that tell the module what to connect to.
      processes, threads: As the command takes them.
      command: ``dramatiq`` or ``dramatiq-gevent``.
      path: The folder that the module is in.
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
    ) -> None:
        executable = Path(sys.executable).with_name(command)
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [executable, module, "-p", str(processes), "-t", str(threads), "--path", str(path)],
            env={**os.environ, "dramatiq_worker_timeout": "50", "dramatiq_restart_delay": "100", **env},
            cwd=path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
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
                self.process.wait()
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.log

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
