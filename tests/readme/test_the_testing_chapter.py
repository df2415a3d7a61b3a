"""The README's test of its example, run as a reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

#: Tells what is loaded when no test has asked for anything yet.
CONFTEST = """
import sys

def pytest_configure():
    print("loaded by the plugin:", sorted({"dramatiq", "dramatiq_baton", "redis"} & set(sys.modules)))
"""


def test_the_test_runs_as_it_stands_without_a_worker_and_without_redis(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, text in re.findall(r"```python\n# ([a-z_]+\.py)\n(.*?)```", readme, re.DOTALL):
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_dramatiq_baton", "-s", "-W", "error"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BATON_REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "loaded by the plugin: []" in done.stdout
