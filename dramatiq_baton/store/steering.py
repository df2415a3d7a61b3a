"""What an operator does to workflows: cancel, retry, prune. None of it needs a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..decisions import short
from ..errors import WorkflowRunning
from ..states import WorkflowState
from .reading import damaged, not_found
from .replies import Spread, newer_schema, text
from .spending import budget_units
from .store import Store
from .talks import Spoken, Talk


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What cancelling a workflow did.

    Attributes:
      number: How many steps were cancelled.
      finished_as: The state in which the workflow had finished before, if it had; then nothing was cancelled.
    """

    number: int
    finished_as: WorkflowState | None = None


class Pruned(StrEnum):
    """What became of a workflow that was to be removed."""

    PRUNED = "pruned"
    RUNNING = "running"  #: it hadn't finished, or runs again: it was left alone
    LATER = "later"  #: it finished too late: it was left alone
    UNKNOWN = "unknown"  #: it was gone already
    NEWER = "newer"  #: a newer release wrote it: it was left alone


@Spoken
def cancel(store: Store, workflow_id: str, reason: str, *, interrupt: bool) -> Talk[Cancelled]:
    """Cancel every step of a workflow that hasn't settled. See ``lua/cancel.lua``.

    They count as cancelled once the first script has run; if the caller dies then, the rescue goes on.

    Raises:
      WorkflowNotFound: If there is none with that id.
      ConfigurationError: If a newer release wrote it.
      StoreUnavailable: If Redis doesn't answer.
    """
    why = short(reason) or "the workflow was cancelled"
    reply = yield from store.running("cancel", workflow_id, why, int(interrupt))
    word, more, said = _reply(workflow_id, reply)
    if word == "finished":
        try:
            return Cancelled(0, WorkflowState(text(said)))
        except ValueError as error:
            raise damaged(store, workflow_id, error) from error
    while more:
        more = (yield from store.spreading(workflow_id, only="cancel")).unfinished
    return Cancelled(int(said))


@Spoken
def begin_retry(store: Store, workflow_id: str, budget: Decimal | None = None) -> Talk[tuple[int, Spread]]:
    """Reset the discarded and cancelled steps of a finished workflow. See ``lua/retry.lua``.

    They are released behind that, by whoever goes on with it: the caller, if it has a broker, else the rescue of any
    worker, which looks for it at once.

    Parameters:
      store: The store.
      workflow_id: The workflow.
      budget: What it may spend in all, in US dollars; as before if not given.

    Returns:
      How many steps run again, and what is left to be done.

    Raises:
      WorkflowRunning: If it hasn't finished, or is being retried.
      WorkflowNotFound: If there is none with that id.
      ConfigurationError: If a newer release wrote it.
      StoreUnavailable: If Redis doesn't answer.
    """
    reply = yield from store.running("retry", workflow_id, budget_units(budget))
    word, more, number = _reply(workflow_id, reply)
    if word == "running":
        raise WorkflowRunning(
            f"workflow {workflow_id!r} still runs: wait until it has finished, or cancel it, and retry it then"
        )
    resetting = more
    while resetting:
        resetting = (yield from store.spreading(workflow_id, only="reset")).unfinished
    return int(number), Spread(word, more)


def prune(store: Store, workflow_id: str, *, finished_before: int) -> Pruned:
    """Remove a workflow if it had finished by then (ms since 1970). See ``lua/prune.lua``.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    return Pruned(text(store.run("prune", workflow_id, finished_before)[0]))


def _reply(workflow_id: str, reply: Sequence[Any]) -> tuple[str, bool, Any]:
    word = text(reply[0])
    if word == "unknown":
        raise not_found(workflow_id)
    if word == "newer":
        raise newer_schema(workflow_id)
    return word, int(reply[1]) > 0, reply[2]
