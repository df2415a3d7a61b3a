"""What a type checker says to a program of a user's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def checked(folder: Path, program: str) -> str:
    """The complaints of mypy in strict mode; none if all is well."""
    file = folder / "program.py"
    file.write_text(program, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder)]
    return subprocess.run([*command, str(file)], capture_output=True, text=True).stdout
