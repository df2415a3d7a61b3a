"""Actors of a user, on any broker."""

from __future__ import annotations

from collections import Counter
from typing import Any

import dramatiq
from dramatiq import Broker, RateLimitExceeded

from dramatiq_baton import Cancel, Discard, Snooze, Step, Workflow, workflow_actor

HOUR = 3_600_000


class Shop:
    """Actors that note when they run.

    Parameters:
      broker: Where they are declared.
      min_backoff: After which time their retries come, in milliseconds.

    Attributes:
      notes: What was noted, in order.
      work: An actor that does, one execution after the other, what the words behind its name say, and then returns
        its name and the number of the execution.
    """

    def __init__(self, broker: Broker, *, min_backoff: int = HOUR) -> None:
        self.broker = broker
        self._min_backoff = min_backoff
        self.notes: list[str] = []
        self.runs: Counter[str] = Counter()

        @self.actor(on_dep_discarded=self._tell("discarded"), on_dep_cancelled=self._tell("cancelled"))
        def work(name: str, *words: Any) -> Any:
            self.notes.append(name)
            self.runs[name] += 1
            match words[self.runs[name] - 1 : self.runs[name]]:
                case ["fail"]:
                    raise ValueError(f"{name} failed")
                case ["busy"]:
                    raise RateLimitExceeded("too fast")
                case ["discard"]:
                    return Discard("no such page")
                case ["cancel"]:
                    return Cancel("not wanted")
                case [int(delay)]:
                    return Snooze(delay)
            return f"{name} {self.runs[name]}"

        self.work = work

    def actor(self, fn: Any = None, **options: Any) -> Any:
        options = {"broker": self.broker, "max_retries": 2, "min_backoff": self._min_backoff, **options}
        return workflow_actor(**options) if fn is None else workflow_actor(**options)(fn)

    def plain_actor(self, fn: Any = None, **options: Any) -> Any:
        options = {"broker": self.broker, **options}
        return dramatiq.actor(**options) if fn is None else dramatiq.actor(**options)(fn)

    def flow(self, *words: Any, **options: Any) -> Workflow:
        """A workflow of one step, ``a``."""
        flow = Workflow("flow")
        flow.add("a", self.work.message("a", *words), **options)
        return flow

    def _tell(self, what: str) -> Any:
        def callback(reason: str, step: Step) -> None:
            self.notes.append(f"{step.name}: a dep was {what}: {reason}")

        return callback
