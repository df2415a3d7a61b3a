"""The session of the README's operations chapter: run as it stands there, on a terminal of 80 columns.

``python -m tests.readme.session`` prints it anew, to be copied.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import ROOT, WorkerProcess
from tests.support.servers import bundled_server
from tests.support.terminal import Terminal

EXAMPLE = ROOT / "examples" / "nightly.py"
AMOUNTS = {"orders": [120.5, 80, 310.25], "returns": [20, 15.5], "fees": [4.2, 3.1]}

COMMANDS = (
    "dramatiq-baton list",
    "dramatiq-baton show {id}",
    "dramatiq-baton graph {id}",
    "mv late/returns.csv data/",
    "dramatiq-baton retry {id}",
    "dramatiq-baton watch {id} --exit-on-finish",
    "dramatiq-baton prune --older-than 0s --state completed",
    "dramatiq-baton list",
)


class Office:
    """A folder with tonight's files, a server, and a worker.

    Attributes:
      id: The id of the workflow that failed.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._env = {"BATON_REDIS_URL": url}
        shutil.copy(EXAMPLE, folder)
        for name in ("data", "late"):
            (folder / name).mkdir()
        for name, amounts in AMOUNTS.items():
            lines = "\n".join(["amount", *map(str, amounts)])
            (folder / "data" / f"{name}.csv").write_text(f"{lines}\n")
        self.worker = WorkerProcess("nightly", self._env, path=folder, anew=True).wait_ready()
        for _ in range(2):
            self._submit()
        (folder / "data" / "returns.csv").rename(folder / "late" / "returns.csv")
        self.id = self._submit()

    def _submit(self) -> str:
        code = "from nightly import nightly; run = nightly().run(); run.wait(30_000); print(run.id)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self._folder,
            env={**os.environ, **self._env},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def do(self, command: str) -> str:
        """Do what a command line says; what is left of its output on the terminal."""
        program, *arguments = shlex.split(command)
        if program != "dramatiq-baton":
            subprocess.run([program, *arguments], cwd=self._folder, check=True)
            return ""
        options = ("--url", self._env["BATON_REDIS_URL"])
        terminal = Terminal(*options, *arguments, columns=80, lines=24, anew=True)
        terminal.ended()
        return terminal.last_picture


@contextmanager
def office() -> Iterator[Office]:
    server = bundled_server()
    with tempfile.TemporaryDirectory() as folder:
        found = Office(Path(folder), f"redis://127.0.0.1:{server.port}/0")
        try:
            yield found
        finally:
            found.worker.kill()
            server.terminate()


def transcript(office: Office, commands: Iterable[str]) -> str:
    parts = []
    for command in commands:
        output = office.do(command)
        parts.append(f"$ {command}\n{output}\n" if output else f"$ {command}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with office() as found:
        print(transcript(found, [command.format(id=found.id) for command in COMMANDS]))
