"""What a type checker says to a program of a user's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class Checker:
    """mypy in strict mode. What it has read once of the package and of what that needs, it remembers.

    Parameters:
      folder: Where programs, and what it remembers, are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._program = folder / "program.py"
        self._command = [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--cache-dir", str(folder / "cache"), str(self._program)),
        ]

    def __call__(self, program: str) -> str:
        """Its complaints about a program; none if all is well."""
        self._program.write_text(program, "utf-8")
        return subprocess.run(self._command, capture_output=True, text=True).stdout
