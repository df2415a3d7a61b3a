"""To a type checker, ``llm_actor`` gives back what ``workflow_actor`` does."""

from __future__ import annotations

import pytest

from tests.support.checker import Checker

pytestmark = pytest.mark.xdist_group("types")

SEVERAL_MODELS = """
from collections.abc import Mapping
from dramatiq_baton import Snooze, Workflow, workflow_actor
from dramatiq_baton.llm import llm_actor, multi_model

@llm_actor
def ask(prompt: str, model: str = "") -> int | Snooze: ...  # type: ignore[empty-body]

@workflow_actor(max_retries=0)
def best_of(answers: dict[str, int]) -> bytes | Snooze: ...  # type: ignore[empty-body]

@workflow_actor
def count(answers: Mapping[str, object]) -> int: ...  # type: ignore[empty-body]

@workflow_actor
def join(answers: dict[str, str]) -> str: ...  # type: ignore[empty-body]

@workflow_actor
def publish(best: bytes, first: int, all_: dict[str, int]) -> None: ...

flow = Workflow("flow")
votes = multi_model(flow, "a", ask.message("x"), models=("m", "n"), synthesize=best_of, quorum=1, deps="x")
flow.add("publish", publish.message(votes.synthesis, votes.by_model["m"], votes.by_model))
size: int = multi_model(flow, "b", ask.message("x"), models=["m"], synthesize=count).synthesis
nothing: None = multi_model(flow, "c", ask.message("x"), models=["m"]).synthesis

# Errors, all of them: a comment that isn't needed is one as well.
multi_model(flow, "d", ask.message("x"), models=["m"], synthesize=join)  # type: ignore[misc]
multi_model(flow, "e", ask.message("x"), models=["m"], quorum=1)  # type: ignore[call-overload]
publish.message(votes.by_model, 1, {})  # type: ignore[arg-type]
publish.message(b"", votes.synthesis, {})  # type: ignore[arg-type]
"""

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


def test_answers_of_several_models_have_the_actors_types(checked: Checker) -> None:
    assert checked(SEVERAL_MODELS) == ""
