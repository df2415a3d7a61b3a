"""What the live view of many workflows shows."""

from __future__ import annotations

from dramatiq_baton.cli.overview import Overview
from dramatiq_baton.cli.overview_view import OverviewView
from tests.cli.flows import T0
from tests.cli.pictures import event, lines, status


def overview() -> Overview:
    flows = Overview()
    for n, (flow, kind) in enumerate([("one", "executing"), ("two", "completed"), ("three", "discarded")]):
        flows.add(status([("a", "x", []), ("b", "x", [])], id=f"id-{n}", name=flow))
        flows.apply(event("a", kind, 1000 * n, workflow_id=f"id-{n}"))
    flows.apply(event("", "workflow_finished", 9000, 0, workflow_id="id-2", outcome="failed"))
    return flows


def test_the_overview_has_a_line_for_each_workflow() -> None:
    shown = lines(OverviewView(overview()).at(T0 + 65_000))
    assert shown[0] == " 3 workflows   ● 2 executing   ✗ 1 failed"
    assert [" ".join(line.split()) for line in shown[2:]] == [
        "state workflow id done failed ago last event",
        "⠋ executing one id-0 0/2 1 m a executing",
        "⠋ executing two id-1 1/2 1 m a completed",
        "✗ failed three id-2 1/2 1 56 s finished",
    ]


def test_a_wide_overview_shows_bars_and_how_long_workflows_have_run() -> None:
    line = lines(OverviewView(overview()).at(T0 + 65_000), width=200)[4]
    assert "  ━━━━━━━━━━──────────  " in line
    assert "  1 m 05 s  " in line


def test_workflows_that_do_not_fit_are_counted() -> None:
    flows = Overview()
    for n in range(200):
        flows.apply(event("", "workflow_started", n, 0, workflow_id=f"w{n}"))
    shown = lines(OverviewView(flows).at(T0 + 200))
    assert len(shown) == 24
    assert shown[3].split()[3] == "w199"
    assert shown[-1] == " … 180 more"


def test_an_overview_without_workflows_says_that_it_waits() -> None:
    assert lines(OverviewView(Overview()).at(T0))[-1] == " waiting for the first event"
