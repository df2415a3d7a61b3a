"""What an actor can know of the step that it runs for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .codec import decode
from .errors import ResultMissing, UnknownStep
from .graph import StepSpec
from .store import reading
from .store.store import Address, Store

_current: ContextVar[Step | None] = ContextVar("dramatiq_baton_step", default=None)


class Step:
    """The step that an actor, or a callback, runs for.

    Attributes:
      workflow_id: The workflow's id.
      workflow_name: The workflow's name.
      name: The step's name.
      attempt: The number of this execution, from 1; 0 in a callback of a step that never ran.
      cancelled: Whether the workflow was cancelled while this runs. Then nothing counts that the actor answers, and
        it may as well stop. It is noticed when leases are renewed: after 5 seconds at most.
    """

    def __init__(self, store: Store, address: Address, *, workflow_name: str, attempt: int) -> None:
        self.workflow_id = address.workflow_id
        self.workflow_name = workflow_name
        self.name = address.step
        self.attempt = attempt
        self.cancelled = False
        self._store = store
        self._spec: StepSpec | None = None

    def __repr__(self) -> str:
        return f"<Step {self.name!r} of workflow {self.workflow_id!r}, attempt {self.attempt}>"

    @property
    def deps(self) -> tuple[str, ...]:
        """The names of its deps."""
        if self._spec is None:
            self._spec = reading.spec(self._store, self.workflow_id, self.name)
        return self._spec.deps

    def result(self, dep: str) -> Any:
        """Read the result of a dep.

        Raises:
          UnknownStep: If ``dep`` isn't a declared dep of this step.
          ResultMissing: If it has no result: it failed, and this step ignores that.
          StoreUnavailable: If Redis doesn't answer.
        """
        if dep not in self.deps:
            raise UnknownStep(
                f"{dep!r} isn't a dep of step {self.name!r}, so its result can't be read there; declare it with deps="
            )
        for _, stored in reading.results(self._store, self.workflow_id, [dep]):
            if stored.data is not None:
                return decode(stored.data)
        raise ResultMissing(f"dep {dep!r} of step {self.name!r} has no result")

    @property
    def results(self) -> dict[str, Any]:
        """The results of all deps that have one, by name. Each access reads them from Redis."""
        stored = reading.results(self._store, self.workflow_id, self.deps)
        return {dep: decode(result.data) for dep, result in stored if result.data is not None}


def current_step() -> Step | None:
    """The step that the calling actor runs for; ``None`` if it doesn't run for one."""
    return _current.get()


@contextmanager
def running(step: Step) -> Iterator[None]:
    """Make ``step`` the current one."""
    before = _current.set(step)
    try:
        yield
    finally:
        _current.reset(before)
