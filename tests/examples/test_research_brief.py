"""The example with several models runs with one command, and its ``show`` tells what each model cost."""

from __future__ import annotations

import re
import subprocess
import sys

from .research_brief import QUESTION, ROOT


def test_the_example_runs_and_shows_what_each_model_cost() -> None:
    command = [sys.executable, "-m", "tests.examples.research_brief"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert QUESTION in ended.stdout
    assert "never computed twice" in ended.stdout
    for step in ("brief.gpt-4o-mini", "brief.gpt-4.1-mini", "brief.o4-mini", "brief"):
        assert re.search(rf"^{step} +completed ", ended.stdout, re.MULTILINE), ended.stdout
    found = re.findall(r"^(\S+) +(\d+) +\d+ +\d+ +\d+ +\d+ +(0\.\d+) +0$", ended.stdout, re.MULTILINE)
    rows = {model: (int(calls), float(cost)) for model, calls, cost in found}
    assert {model: calls for model, (calls, _) in rows.items()} == {
        "gpt-4o-mini": 1,
        "gpt-4.1-mini": 1,
        "o4-mini": 2,
        "total": 4,
    }
    assert all(cost > 0 for _, cost in rows.values())
    assert ended.stdout.rstrip().endswith("budget 1")
