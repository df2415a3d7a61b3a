"""G2, G4, G6: a short round of chaos, as ``make chaos`` plays a long one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.processes import ROOT


@pytest.mark.timeout(240)
def test_a_round_of_chaos_loses_nothing_and_computes_nothing_wrong() -> None:
    round_ = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seconds", "30", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert round_.returncode == 0, round_.stdout + round_.stderr
