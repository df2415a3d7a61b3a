"""The demo's worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import ConfigurationError

#: How long workers may take to stop before they are killed, in seconds.
PATIENCE = 10
#: How long they may take to start, in seconds.
BOOT_PATIENCE = 60


@contextmanager
def workers(module: str, env: dict[str, str], *, processes: int = 2, threads: int = 4) -> Iterator[None]:
    """Run a module's actors with the ``dramatiq`` command, as long as the context lasts.

    Parameters:
      module: The module.
      env: Environment variables for it, besides our own.
      processes: How many processes.
      threads: How many threads in each.

    Raises:
      ConfigurationError: If they don't start; with the end of what they logged.
    """
    with tempfile.TemporaryDirectory(prefix="dramatiq-baton-") as folder:
        log = Path(folder) / "workers.log"
        command = [sys.executable, "-m", "dramatiq", module, "-p", str(processes), "-t", str(threads)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we stop them in order
            )
        try:
            _wait_ready(process, log, processes)
            yield
        finally:
            _stop(process)


def _wait_ready(process: subprocess.Popen[bytes], log: Path, processes: int) -> None:
    deadline = time.monotonic() + BOOT_PATIENCE
    while (text := log.read_text("utf-8", "replace")).count("ready for action") < processes:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ConfigurationError(
                f"the demo's workers don't start: {text[-1000:] or 'they logged nothing'}"
            )
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
