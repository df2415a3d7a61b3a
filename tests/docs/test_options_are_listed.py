"""Every option of what users call stands in a table, with its default."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dramatiq_baton import BatonMiddleware, Workflow, WorkflowRun, workflow_actor
from dramatiq_baton.llm import llm_actor, multi_model
from dramatiq_baton.testing import run_workflow

from .pages import DOCS, table_rows

OPTIONS = DOCS / "options.md"
#: Where the options of each stand: the page, and the heading above the table.
PLACES: dict[Callable[..., Any], tuple[Path, str]] = {
    BatonMiddleware: (DOCS / "guides" / "production.md", "Settings"),
    llm_actor: (DOCS / "guides" / "llm-steps.md", "Options"),
    workflow_actor: (OPTIONS, "workflow_actor"),
    Workflow: (OPTIONS, "Workflow"),
    Workflow.add: (OPTIONS, "Workflow.add"),
    Workflow.run: (OPTIONS, "Workflow.run"),
    WorkflowRun.wait: (OPTIONS, "WorkflowRun.wait"),
    WorkflowRun.events: (OPTIONS, "WorkflowRun.events"),
    WorkflowRun.cancel: (OPTIONS, "WorkflowRun.cancel"),
    WorkflowRun.retry: (OPTIONS, "WorkflowRun.retry"),
    multi_model: (OPTIONS, "multi_model"),
    run_workflow: (OPTIONS, "run_workflow"),
}
#: What isn't an option: the function that is decorated, and what stands for all of Dramatiq's.
OTHERS = ("self", "fn", "options")


def options_of(called: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(called).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters if parameter.name not in OTHERS}


def listed(page: Path, heading: str) -> dict[str, str]:
    """The first two cells of each row: the option's name, and its default."""
    _, *rows = table_rows(page, heading)
    return {row[0].strip("`"): row[1].strip("`") for row in rows}


def value_of(text: str) -> Any:
    """What a default stands for as it is written in a table; an empty cell for none."""
    return eval(text, {"timedelta": timedelta}) if text else inspect.Parameter.empty


@pytest.mark.parametrize("called", PLACES, ids=lambda called: called.__qualname__)
def test_each_option_is_listed_with_its_default(called: Callable[..., Any]) -> None:
    found = {name: value_of(default) for name, default in listed(*PLACES[called]).items()}
    assert found == options_of(called)
