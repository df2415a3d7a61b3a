"""Steps with a quorum of any shape; users get one from ``multi_model``, where it is given a dict of answers."""

from __future__ import annotations

from typing import Any

from dramatiq_baton import Workflow
from dramatiq_baton.workflow import StepRef


def add_with_quorum(flow: Workflow, name: str, message: Any, *, quorum: int, **options: Any) -> Any:
    """Add a step as ``flow.add`` does, but one that runs if so many of its deps complete."""
    flow._put(flow._prepared(name, message, quorum=quorum, **options))
    return StepRef(flow, name)
