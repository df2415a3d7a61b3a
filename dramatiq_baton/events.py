"""Events: one for each change of a workflow or step. This module knows their fields, not Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from .errors import CorruptData

#: The fields that are whole numbers, where they apply.
_NUMBERS = ("delay", "duration", "calls", "input_tokens", "output_tokens", "unpriced")


class EventType(StrEnum):
    """What an event can tell."""

    WORKFLOW_STARTED = "workflow_started"
    WORKFLOW_FINISHED = "workflow_finished"
    EXECUTING = "executing"
    SNOOZED = "snoozed"
    COMPLETED = "completed"
    RETRYABLE = "retryable"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an event stream.

    Attributes:
      id: The entry's id in the stream it was read from; pass it as ``since=`` to go on behind it.
      event: What happened.
      workflow_id: The workflow it happened in.
      workflow_name: That workflow's name.
      step: The step's name; empty for the workflow's own events.
      actor: The step's actor; empty for the workflow's own events.
      queue: The step's queue; empty for the workflow's own events.
      attempt: How often the step had been started by then.
      ts: When, in milliseconds since 1970, by Redis's clock.
      reason: Why a step was snoozed, discarded or cancelled.
      error: The exception that an attempt ended with, as ``Type: message``.
      cached: Whether a stored result was used instead of running the actor.
      delay: Milliseconds until the step runs again (``snoozed``, ``retryable``).
      duration: Milliseconds that the attempt (or, when finished, the workflow) took.
      outcome: ``completed``, ``failed`` or ``cancelled`` (``workflow_finished``).
      failed_steps: Names of discarded steps, at most the first 50 (``workflow_finished``).
      cost: What the workflow's calls to providers had cost by then, in US dollars, as far as their prices are known.
      calls, input_tokens, output_tokens: How many there were, and what they used (``workflow_finished``).
      unpriced: How many of them have no known price (``workflow_finished``).
      worker: The worker process that ran the step, as ``host:pid:...``.
    """

    id: str
    event: EventType
    workflow_id: str
    workflow_name: str
    step: str
    actor: str
    queue: str
    attempt: int
    ts: int
    reason: str = ""
    error: str = ""
    cached: bool = False
    delay: int | None = None
    duration: int | None = None
    outcome: str = ""
    failed_steps: tuple[str, ...] = ()
    cost: Decimal | None = None
    calls: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    unpriced: int | None = None
    worker: str = ""

    @classmethod
    def from_fields(cls, entry_id: str, fields: Mapping[str, str]) -> Event:
        """Build an event from a stream entry.

        Raises:
          CorruptData: If the entry isn't one that Baton wrote.
        """
        try:
            return cls(
                id=entry_id,
                event=EventType(fields["event"]),
                workflow_id=fields["workflow_id"],
                workflow_name=fields["workflow_name"],
                step=fields["step"],
                actor=fields["actor"],
                queue=fields["queue"],
                attempt=int(fields["attempt"]),
                ts=int(fields["ts"]),
                reason=fields.get("reason", ""),
                error=fields.get("error", ""),
                cached=fields.get("cached") == "1",
                outcome=fields.get("outcome", ""),
                failed_steps=tuple(json.loads(fields.get("failed_steps", "[]"))),
                cost=Decimal(fields["cost"]) if "cost" in fields else None,
                **{name: _optional_int(fields.get(name)) for name in _NUMBERS},
                worker=fields.get("worker", ""),
            )
        except (KeyError, ValueError, TypeError, InvalidOperation) as error:
            raise CorruptData(
                f"stream entry {entry_id} isn't a Baton event ({error!r}); "
                "delete the stream's key if another program writes to it"
            ) from error

    def as_dict(self) -> dict[str, Any]:
        """The event's fields for JSON: those that every event has, then those that apply."""
        record: dict[str, Any] = {
            "id": self.id,
            "event": str(self.event),
            "workflow_id": self.workflow_id,
            "workflow_name": self.workflow_name,
            "step": self.step,
            "actor": self.actor,
            "queue": self.queue,
            "attempt": self.attempt,
            "ts": self.ts,
        }
        for name in ("reason", "error", "outcome", "worker"):
            if value := getattr(self, name):
                record[name] = value
        if self.cached:
            record["cached"] = True
        if self.cost is not None:
            record["cost"] = str(self.cost)
        for name in _NUMBERS:
            if (value := getattr(self, name)) is not None:
                record[name] = value
        if self.failed_steps:
            record["failed_steps"] = list(self.failed_steps)
        return record


def _optional_int(text: str | None) -> int | None:
    return None if text is None else int(text)
