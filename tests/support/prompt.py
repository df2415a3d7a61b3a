"""A Python prompt in a process of its own: pieces of a program, run one after the other in one namespace."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import os
import sys
import traceback
from pathlib import Path

from .forks import zygote


class Prompt:
    """The prompt.

    Parameters:
      folder: The folder that it is in; modules there can be imported.
      env: Environment variables.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        asked, orders = os.pipe()
        answers, answered = os.pipe()
        with (folder / "prompt.log").open("wb") as log:
            self._process = zygote().fork(
                *("prompt", env), stdin=asked, stdout=answered, stderr=log.fileno(), cwd=folder
            )
        os.close(asked)
        os.close(answered)
        self._orders = os.fdopen(orders, "w", encoding="utf-8")
        self._answers = os.fdopen(answers, encoding="utf-8")

    def run(self, code: str, *, file: str, line: int) -> str:
        """Run some code that stands in a file; what it printed.

        Raises:
          AssertionError: If it raised, with its traceback.
        """
        print(json.dumps([code, file, line]), file=self._orders, flush=True)
        answer = self._answers.readline()
        assert answer, f"{file}:{line} ended Python"
        output, error = json.loads(answer)
        assert error is None, f"{file}:{line} raised\n{error}\nbehind the output\n{output}"
        return str(output)

    def close(self) -> None:
        self._orders.close()
        self._answers.close()
        self._process.kill()


def main() -> None:
    """Run what standard input says, and tell on standard output what it printed and raised."""
    sys.path.insert(0, os.getcwd())
    namespace = {"__name__": "__prompt__"}
    for order in sys.stdin:
        code, file, line = json.loads(order)
        error = None
        with contextlib.redirect_stdout(io.StringIO()) as output:
            try:
                _run(code, file, line, namespace)
            except BaseException:
                error = traceback.format_exc()
        sys.stdout.write(json.dumps([output.getvalue(), error]) + "\n")
        sys.stdout.flush()


def _run(code: str, file: str, line: int, namespace: dict[str, object]) -> None:
    text = "\n" * (line - 1) + code  # so that a traceback names the line of the page
    program = compile(text, file, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if program.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(program, namespace))
    else:
        exec(program, namespace)
