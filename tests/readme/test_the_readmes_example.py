"""The README's example, run as a reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, WorkerProcess
from tests.support.servers import bundled_server


def example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if "# brief.py" in block)
    return str(found)


def test_the_example_runs_as_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / "brief.py").write_text(example(), "utf-8")
    server = bundled_server()
    env = {"BATON_REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}
    worker = WorkerProcess("brief", env, path=tmp_path, anew=True)
    try:
        worker.wait_ready()
        submitted = subprocess.run(
            [sys.executable, "brief.py"],
            cwd=tmp_path,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert submitted.stderr == ""
        assert submitted.stdout == "Baton passes results on (computes, passes, results, twice)\n"
    finally:
        worker.kill()
        server.terminate()


@pytest.mark.parametrize("command", ["make demo", "make test", "dramatiq-baton watch"])
def test_the_readme_names_the_commands_that_there_are(command: str) -> None:
    assert command in (ROOT / "README.md").read_text("utf-8")
