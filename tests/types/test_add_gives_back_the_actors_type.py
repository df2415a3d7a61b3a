"""To a type checker, ``add`` gives back what the actor returns."""

from __future__ import annotations

import pytest

from tests.support.checker import Checker

pytestmark = pytest.mark.xdist_group("types")

PROGRAM = """
from typing import Any
from dramatiq_baton import Snooze, Workflow, workflow_actor

@workflow_actor(max_retries=3)
def fetch(url: str) -> dict[str, int]: ...  # type: ignore[empty-body]

@workflow_actor
def count(url: str) -> int | Snooze: ...  # type: ignore[empty-body]

@workflow_actor
async def summarize(page: dict[str, int]) -> str: ...  # type: ignore[empty-body]

@workflow_actor
def compile_brief(parts: list[str], size: int) -> None: ...

flow = Workflow("flow")
page = flow.add("fetch", fetch.message("x"))
size = flow.add("count", count.message("x"))
one = flow.add("one", summarize.message(page))
flow.add("brief", compile_brief.message([one], size), deps=["fetch", page])
"""


def test_a_graph_whose_types_fit_is_accepted(checked: Checker) -> None:
    assert checked(PROGRAM) == ""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('flow.add("wrong", summarize.message(one))', 'expected "dict[str, int]"'),
        ('flow.add("wrong", compile_brief.message([page], 1))', 'expected "str"'),
        ('flow.add("wrong", summarize.message())', "Missing positional argument"),
    ],
)
def test_a_result_that_does_not_fit_is_an_error(checked: Checker, line: str, error: str) -> None:
    assert error in checked(PROGRAM + line + "\n")
