"""A reader who does what a page says, from its first line to the last.

- A Python block whose first line is a comment with the name of a file is written to that file.
- Every other one is run, in one namespace a page. A block ``text`` behind it is what it prints.
- Of a console block, each line that begins with ``$`` is a command, and the lines below it are its output, if there are
  any. ``dramatiq`` starts a worker, which works until the page ends; ``dramatiq-baton`` has a terminal of 80 columns.
  Whatever else there is, a shell runs.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.processes import WorkerProcess
from tests.support.prompt import Prompt
from tests.support.terminal import Terminal
from tests.support.transcripts import normal

from .pages import Block, blocks, name_of

#: What a shell does with a line, rather than the one program that it begins with.
_OF_THE_SHELL = re.compile(r"[|&;<>$`]")


class Reader:
    """The reader.

    Parameters:
      folder: Where it works; empty.
      url: The server that ``BATON_REDIS_URL`` names.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._env = {"BATON_REDIS_URL": url, "PATH": path}
        self._workers: list[WorkerProcess] = []
        self._prompt = Prompt(folder, self._env)

    def read(self, page: Path) -> None:
        """Do what a page says.

        Raises:
          AssertionError: If something doesn't go as it says there.
        """
        printed: str | None = None
        for block in blocks(page):
            where = f"{name_of(page)}:{block.line}"
            if block.language == "python" and block.file:
                self.write(block)
            elif block.language == "python":
                printed = self.run(block.text, file=name_of(page), line=block.line)
                continue
            elif block.language == "console":
                self._do_all(block, where)
            elif block.language == "text" and printed is not None:
                assert normal(printed) == normal(block.text), f"{where} isn't what is printed:\n{printed}"
            printed = None

    def write(self, block: Block) -> None:
        """Write the file that a block is."""
        assert block.file
        (self._folder / block.file).write_text(block.text, "utf-8")

    def run(self, code: str, *, file: str, line: int = 1) -> str:
        """Run some Python that stands in a file; what it printed."""
        return self._prompt.run(code, file=file, line=line)

    def _do_all(self, block: Block, where: str) -> None:
        for session in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = session.partition("\n")
            output = self.do(command)
            if shown.strip():
                assert normal(output) == normal(shown), f"{where}: {command} prints\n{output}"

    def do(self, command: str) -> str:
        """Give a command; what it printed."""
        program, *arguments = shlex.split(command, comments=True)
        if program == "dramatiq":
            module, *options = arguments
            numbers = dict(zip(options[::2], map(int, options[1::2]), strict=True))
            worker = WorkerProcess(
                module,
                self._env,
                processes=numbers.pop("--processes", 1),
                threads=numbers.pop("--threads", 4),
                path=self._folder,
            )
            assert not numbers, f"the reader doesn't know how to do {command}"
            self._workers.append(worker)
            worker.wait_ready()
            return ""
        if program == "dramatiq-baton" and not _OF_THE_SHELL.search(command):
            terminal = Terminal("--url", self._url, *arguments, columns=80, lines=24)
            code = terminal.ended()
            assert code == 0, f"{command} ended with {code}: {terminal.output}"
            return terminal.last_picture
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self._folder,
            env={**os.environ, **self._env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}"
        return done.stdout

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._prompt.close()
