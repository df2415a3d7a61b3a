"""An observer that keeps all it is told."""

from __future__ import annotations

import threading
from typing import Any

from dramatiq_baton.observing import Observer, StepChange


class Recorder(Observer):
    """Keeps what it is told has changed, in order."""

    def __init__(self) -> None:
        self._told: list[Any] = []
        self._lock = threading.Lock()

    def keep(self, what: Any) -> None:
        with self._lock:
            self._told.append(what)

    workflow_started = workflow_finished = step_changed = step_rescued = keep

    @property
    def told(self) -> list[Any]:
        """All that was told so far."""
        with self._lock:
            return list(self._told)

    def of(self, kind: type[Any]) -> list[Any]:
        """What was told of one kind."""
        return [told for told in self.told if isinstance(told, kind)]

    def states_of(self, step: str) -> list[str]:
        """The states that a step was told to be in."""
        return [str(change.state) for change in self.of(StepChange) if change.step == step]
