"""What scripts tell of the changes that they made, in Python's terms. See ``lua/shared/news.lua``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..events import EventType
from ..observing import News, StepChange, StepRescue, WorkflowEnd, WorkflowStart, words_from
from ..states import StepState, WorkflowState
from .replies import text


def news_from(reply: Iterable[Sequence[Any]]) -> list[News]:
    """Read the news of a script."""
    return [_one_from(*entry) for entry in reply]


def _one_from(
    event: bytes,
    workflow_id: bytes,
    workflow_name: bytes,
    step: bytes,
    actor: bytes,
    queue: bytes,
    attempt: int,
    duration: int,
    wait: int,
    outcome: bytes,
    words: bytes,
) -> News:
    what, workflow = text(event), (text(workflow_id), text(workflow_name))
    if what == EventType.WORKFLOW_STARTED:
        return WorkflowStart(*workflow)
    if what == EventType.WORKFLOW_FINISHED:
        return WorkflowEnd(*workflow, WorkflowState(text(outcome)), max(0, duration), words_from(text(words)))
    place = (*workflow, text(step), text(actor), text(queue), attempt)
    if what == "rescued":
        return StepRescue(*place)
    return StepChange(
        *place,
        StepState(what),
        duration=None if duration < 0 else duration,
        wait=None if wait < 0 else wait,
    )
