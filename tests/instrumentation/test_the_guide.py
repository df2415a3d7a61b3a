"""The guide's Python, run as a reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

GUIDE = ROOT / "docs" / "guides" / "metrics.md"
FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([a-z_]+\.py)\n")


def test_the_guide_goes_as_it_says(valkey_url: str, tmp_path: Path) -> None:
    program, printed, prints = [], "", False
    for language, block in FENCE.findall(GUIDE.read_text("utf-8")):
        if language == "text":  # behind a program it is what that prints, elsewhere it is for people
            printed += block if prints else ""
        elif name := FILE.match(block):
            (tmp_path / name[1]).write_text(block, "utf-8")
            program.append(f"import {name[1].removesuffix('.py')}\n")
        else:
            program.append(block)
        prints = language == "python" and not FILE.match(block)
    env = {**os.environ, "BATON_REDIS_URL": valkey_url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
