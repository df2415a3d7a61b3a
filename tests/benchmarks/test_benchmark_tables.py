"""The tables say what came out, also when it didn't come out well."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import table
from benchmarks.environments import REQUIREMENTS, sections
from benchmarks.goals import GOALS
from benchmarks.results import Results, put_together
from benchmarks.rounds import sessions
from benchmarks.systems import NAMES
from benchmarks.workloads import BY_KEY, WORKLOADS

MACHINE = {
    "date": "2026-01-02T03:04:05+00:00",
    "cpu": "A Processor",
    "cores": 2,
    "memory_gib": 4.0,
    "kernel": "Linux 6",
    "python": "CPython 3.11",
    "server": "valkey 9",
    "load_before": 0.1,
}
SYSTEMS: dict[str, dict[str, Any]] = {
    "baton": {"versions": {"dramatiq-baton": "0.1.0"}, "notes": ["as it comes"]},
    "dramatiq": {"versions": {"dramatiq": "2.2.1"}},
    "huey": {"error": "can't be installed: no such thing"},
}


def measured(*values: float, us: int = 100) -> list[dict[str, Any]]:
    return [{"value": value, "longest": {"us": us, "command": "EVALSHA settle.lua"}} for value in values]


@pytest.fixture
def results() -> Results:
    chain, fan, submit = BY_KEY["chain"], BY_KEY["fan-1"], BY_KEY["submit"]
    runs = {
        "chain": {"baton": measured(0.5, 0.4, 0.7), "dramatiq": measured(8.0, 7.0, 9.0)},
        "fan-1": {
            "baton": measured(3000, us=6_000),
            "dramatiq": [{"error": "WrongResult: the last | told 1"}],
        },
        "submit": {"baton": measured(60_000)},
    }
    return put_together(MACHINE, SYSTEMS, [chain, fan, submit], runs, quick=False, rounds=3)


def row(text: str, title: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {title}"))


def test_a_cell_has_the_median_the_ratio_and_the_spread(results: Results) -> None:
    line = row(table.render(results), "chain of 200, ms/hop ↓")
    assert "**0.5**<br>0.4 to 0.7 |" in line
    assert "**8.00** (16.0 ×)<br>7.00 to 9.00" in line


def test_what_failed_or_was_not_there_is_said(results: Results) -> None:
    text = table.render(results)
    assert row(text, "1 → 1000 → 1, 1 process").endswith("| failed | can't be installed |")
    assert "failed in 1 of 1 rounds: WrongResult: the last | told 1" in text
    assert "**huey**: can't be installed: no such thing" in text


def test_goals_are_met_missed_or_not_measured(results: Results) -> None:
    text = table.render(results)
    assert row(text, "chain of 200, beside Dramatiq").endswith("| at most 0.0833 × | 0.0625 × | yes |")
    assert row(text, "run() of 10,000 steps | at least").endswith("60,000 steps/s | yes |")
    assert row(text, "longest single script").endswith("6.00 ms | **no** |")
    assert row(text, "chain of 200, beside huey").endswith("| not measured |  |")


def test_what_only_we_are_measured_by_stands_in_a_table_of_its_own(results: Results) -> None:
    assert "| run() of 10,000 steps | steps/s | 60,000 | 60,000 | 60,000 |" in table.render(results)


def test_every_goal_can_be_looked_up_where_nothing_was_measured() -> None:
    empty = put_together(MACHINE, {}, [], {}, quick=True, rounds=1)
    assert {goal.met(empty) for goal in GOALS} == {None}


@pytest.mark.parametrize(
    ("value", "text"), [(39_600.4, "39,600"), (12.34, "12.3"), (1.234, "1.23"), (1 / 12, "0.0833"), (0, "0")]
)
def test_numbers_have_three_figures(value: float, text: str) -> None:
    assert table.number(value) == text


def test_every_system_but_ours_has_requirements_to_the_version() -> None:
    found = sections(REQUIREMENTS.read_text("utf-8"))
    assert found.keys() == {*NAMES, "charts"} - {"baton"}
    assert all("==" in line for lines in found.values() for line in lines.splitlines())


@pytest.mark.parametrize("quick", [False, True])
def test_every_workload_is_in_one_session_with_others_like_it(quick: bool) -> None:
    found = sessions(WORKLOADS, quick=quick)
    wanted = [workload for workload in WORKLOADS if workload.sized(quick)]
    assert sorted(w.key for session in found for w in session.workloads) == sorted(w.key for w in wanted)
    for session in found:
        assert {(w.processes, w.ours_only(quick)) for w in session.workloads} == {
            (session.processes, session.workloads[0].ours_only(quick))
        }
