"""A worker that dies between two commands: it takes a step, stores its result, and does nothing that follows."""

from __future__ import annotations

from typing import Any

from dramatiq_baton import StepState, WorkflowRun
from dramatiq_baton.codec import encode
from dramatiq_baton.store.replies import Gate, Spread
from dramatiq_baton.store.store import Address, Store


def store_of(run: WorkflowRun) -> Store:
    return run._runtime.store


def take(run: WorkflowRun, step: str) -> int:
    """Take the lease of a step that may run; returns its token."""
    claim = store_of(run).claim(
        Address(run.id, step), holder="dead", seq=0, delay=0, max_rescues=1, worker="dead", wanted=()
    )
    assert claim.word is Gate.RUN
    return claim.token


def complete(run: WorkflowRun, step: str, value: Any) -> Spread:
    """Run a step and store its result, and send none of the messages that follow from it."""
    spread = store_of(run).settle(
        Address(run.id, step), take(run, step), StepState.COMPLETED, worker="dead", result=encode(value)
    )
    assert spread.word == "ok"
    return spread
