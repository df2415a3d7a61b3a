"""To a type checker, ``llm_actor`` gives back what ``workflow_actor`` does."""

from __future__ import annotations

import pytest

from tests.support.checker import Checker

pytestmark = pytest.mark.xdist_group("types")

PROGRAM = """
from datetime import timedelta
from dramatiq_baton import Workflow
from dramatiq_baton.llm import llm_actor

@llm_actor(time_limit=None, max_backoff=timedelta(minutes=1))
def title(page: str) -> int: ...  # type: ignore[empty-body]

@llm_actor
def plain(page: str) -> int: ...  # type: ignore[empty-body]

@llm_actor
async def translate(page: int) -> str: ...  # type: ignore[empty-body]

flow = Workflow("flow")
size = flow.add("plain", plain.message("x"))
flow.add("title", title.message("x"))
text = flow.add("translate", translate.message(size))
"""


def test_a_graph_whose_types_fit_is_accepted(checked: Checker) -> None:
    assert checked(PROGRAM) == ""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('flow.add("wrong", translate.message(text))', 'expected "int"'),
        ('flow.add("wrong", title.message())', "Missing positional argument"),
        ('llm_actor(max_refusals="many")', 'No overload variant of "llm_actor"'),
    ],
)
def test_what_does_not_fit_is_an_error(checked: Checker, line: str, error: str) -> None:
    assert error in checked(PROGRAM + line + "\n")
