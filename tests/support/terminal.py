"""The command ``dramatiq-baton``, in a pipe and on a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import termios
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .processes import start

COMMAND = "dramatiq-baton"


def piped(
    *args: str, timeout: float = 60, anew: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with its output in a pipe, until it ends.

    Parameters:
      args: Its arguments.
      timeout: How long it may take, in seconds.
      anew: Whether the executable itself is started, as :func:`.start` has it.
      env: Environment variables besides those of this process.
    """
    pipes = [os.pipe(), os.pipe()]
    (_, stdout), (_, stderr) = pipes
    process = start(COMMAND, *args, env=env, stdout=stdout, stderr=stderr, anew=anew)
    for _, written in pipes:
        os.close(written)
    with ThreadPoolExecutor(2) as readers:
        output, errors = readers.map(_all_of, [read for read, _ in pipes])
    return subprocess.CompletedProcess([COMMAND, *args], process.wait(timeout), output, errors)


def _all_of(pipe: int) -> str:
    with open(pipe, encoding="utf-8") as file:
        return file.read()


class Terminal:
    """The command on a terminal of its own.

    Parameters:
      args: The command's arguments.
      columns, lines: The terminal's size.
      anew: Whether the executable itself is started, as :func:`.start` has it.
    """

    def __init__(self, *args: str, columns: int = 100, lines: int = 40, anew: bool = False) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (lines, columns))
        self.process = start(
            COMMAND,
            *args,
            env={"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(lines)},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            anew=anew,
        )
        os.close(slave)
        self._output = b""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that it has written so far, control codes and all."""
        with self._changed:
            return self._output.decode("utf-8", "replace")

    @property
    def last_picture(self) -> str:
        """What is left to be seen at the end, as plain text: of a live view the last picture."""
        *_, last = re.split(r"\x1b\[J(?=\r)", self.output)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last).replace("\r", "")
        return "\n".join(line.rstrip() for line in plain.strip("\n").split("\n"))

    def wait_for(self, condition: str | Callable[[str], bool], timeout: float = 30) -> str:
        """Wait until its output is as it should be, and return it."""
        check = condition if callable(condition) else lambda output: condition in output
        with self._changed:
            arrived = self._changed.wait_for(lambda: check(self._output.decode("utf-8", "replace")), timeout)
        assert arrived, f"never seen on the terminal: {condition}; there was\n{self.output}"
        return self.output

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self, timeout: float = 30) -> int:
        """Wait until it has ended; its exit code."""
        code = self.process.wait(timeout)
        self._reader.join(10)
        os.close(self._master)
        return code

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other end is closed
                return
            if not data:
                return
            with self._changed:
                self._output += data
                self._changed.notify_all()
