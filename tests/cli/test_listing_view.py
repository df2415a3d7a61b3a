"""The lines of ``list`` on terminals of any width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from dramatiq_baton.cli.listing_view import lines
from dramatiq_baton.states import StepState, WorkflowState
from dramatiq_baton.store.catalogue import Entry
from tests.cli.flows import T0

ID = "0123456789abcdef0123456789abcdef"


def entry(**fields: object) -> Entry:
    counts = {StepState.COMPLETED: 29_000, StepState.DISCARDED: 1_000}
    given = {"id": ID, "name": "n" * 80, "counts": counts, "finished_at": T0 + 999} | fields
    return Entry(total=30_000, state=WorkflowState.FAILED, created_at=T0, started_at=T0, **given)  # type: ignore[arg-type]


def shown(width: int, *entries: Entry) -> list[str]:
    return [line.plain.rstrip() for line in lines(entries, T0 + 3000, width, titles=True)]


@pytest.mark.parametrize("width", [80, 100, 119, 120, 200])
def test_an_id_is_whole_in_the_line_of_its_workflow_and_the_name_gives_way(width: int) -> None:
    _, line = shown(width, entry())
    assert f" {ID} " in line
    assert "30,000/30,000" in line
    assert "nnnnnnn" in line
    assert cell_len(line) <= width


@pytest.mark.parametrize(("width", "id"), [(50, ID), (80, "x" * 70), (80, "日" * 100)])
def test_an_id_that_is_too_long_for_that_has_a_line_of_its_own(width: int, id: str) -> None:
    _, line, below = shown(width, entry(id=id))
    assert cell_len(line) <= width
    assert below == f"   {id}"


def test_a_column_of_failed_steps_is_there_only_if_there_are_some() -> None:
    assert "failed" in shown(80, entry())[0]
    assert "failed" not in shown(80, entry(counts={StepState.COMPLETED: 30_000}))[0]
