"""An environment for each peer, made from its section of ``requirements.txt``."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parent
REQUIREMENTS = FOLDER / "requirements.txt"
ENVIRONMENTS = FOLDER / ".venvs"
#: The system that runs in the environment that this runs in.
OWN = "baton"

_HEADING = re.compile(r"^# \[(\w+)\]$", re.MULTILINE)


class NotInstalled(Exception):
    """An environment can't be made; says why."""


def sections(text: str) -> dict[str, str]:
    """The requirements by the names in ``# [name]`` lines."""
    _, *parts = _HEADING.split(text)
    return {name: body.strip() + "\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def python_of(name: str) -> Path:
    """The interpreter of a system's environment, which is made if there is none that fits.

    Raises:
      NotInstalled: If that fails.
    """
    if name == OWN:
        return Path(sys.executable)
    wanted = sections(REQUIREMENTS.read_text("utf-8")).get(name)
    if wanted is None:
        raise NotInstalled(f"{REQUIREMENTS.name} has no section for it")
    folder = ENVIRONMENTS / name
    stamp = folder / "made-from"
    fingerprint = hashlib.sha256((sys.version + wanted).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, wanted)
        stamp.write_text(fingerprint)
    return folder / "bin" / "python"


def _make(folder: Path, wanted: str) -> None:
    venv.create(folder, with_pip=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(wanted, "utf-8")
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-r", requirements], capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled((errors or done.stderr.splitlines() or ["pip failed"])[-1])
