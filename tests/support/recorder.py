"""An observer that keeps all it is told."""

from __future__ import annotations

import threading
from typing import Any

from dramatiq_baton.observing import (
    Execution,
    Observer,
    StepChange,
)


class Recorder(Observer):
    """Keeps what it is told, in order.

    Parameters:
      carries: Whether it carries words: the workflow's name, and the names of steps.
    """

    def __init__(self, *, carries: bool = False) -> None:
        self.carries = carries
        self.told: list[Any] = []
        self.executions: list[Execution] = []
        self._arrived = threading.Condition()

    def _keep(self, what: Any) -> None:
        with self._arrived:
            self.told.append(what)
            self._arrived.notify_all()

    workflow_started = workflow_finished = step_changed = step_rescued = _keep

    def of(self, kind: type[Any]) -> list[Any]:
        """What was told of one kind, in order."""
        with self._arrived:
            return [told for told in self.told if isinstance(told, kind)]

    def states_of(self, step: str) -> list[str]:
        """The states that a step was told to be in, in order."""
        return [str(change.state) for change in self.of(StepChange) if change.step == step]

    def wait(self, kind: type[Any], times: int = 1) -> Any:
        """Wait until something of a kind was told so many times, and return the last."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: sum(isinstance(t, kind) for t in self.told) >= times, 30)
        return self.of(kind)[-1]
