"""``WorkflowRun``: the handle of a submitted workflow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from dramatiq import Broker, get_broker

from .codec import decode
from .durations import Duration, to_ms
from .errors import ConfigurationError, ResultMissing, UnknownStep, WorkflowTimeout
from .events import Event, EventType
from .mermaid import to_mermaid
from .middleware import BatonMiddleware
from .money import to_dollars
from .names import is_name
from .release import release
from .runtime import Runtime
from .stand_in import in_place_of
from .states import WorkflowState, WorkflowStatus
from .store import reading, spending, steering
from .store.streams import EndSignal, EventReader, position
from .usage import UsageReport


def middleware_of(broker: Broker) -> BatonMiddleware:
    """The broker's ``BatonMiddleware``.

    Raises:
      ConfigurationError: If it has none.
    """
    for middleware in in_place_of(broker).middleware:
        if isinstance(middleware, BatonMiddleware):
            return middleware
    raise ConfigurationError("the broker has no BatonMiddleware: broker.add_middleware(BatonMiddleware())")


class WorkflowRun:
    """A submitted workflow. Made by ``Workflow.run()`` and :func:`get_run`.

    Attributes:
      id: The workflow's id.
      name: The workflow's name.
      created: Whether this handle's ``run()`` started it, rather than finding it there.

    Every method that reads raises ``WorkflowNotFound`` once the workflow's data is gone, and
    ``StoreUnavailable`` if Redis doesn't answer.
    """

    def __init__(self, runtime: Runtime, id: str, name: str, *, created: bool) -> None:
        self._runtime = runtime
        self.id = id
        self.name = name
        self.created = created

    def __repr__(self) -> str:
        return f"<WorkflowRun {self.name!r} {self.id!r}>"

    def status(self) -> WorkflowStatus:
        """Read the state of the workflow and of all its steps."""
        return reading.status(self._runtime.store, self.id)

    def result(self, step: Any) -> Any:
        """Read the result of a step.

        Parameters:
          step: Its name, or what ``add()`` returned for it.

        Raises:
          UnknownStep: If there is no such step.
          ResultMissing: If it hasn't completed; says in what state it is.
        """
        name = getattr(step, "name", step)
        if not is_name(name):
            raise UnknownStep(f"workflow {self.id!r} has no step {name!r:.80}; no step can have that name")
        reading.summary(self._runtime.store, self.id)
        for _, stored in reading.results(self._runtime.store, self.id, [name]):
            if stored.data is not None:
                return decode(stored.data)
        record = reading.record(self._runtime.store, self.id, name)
        why = f": {record.reason}" if record.reason else ""
        raise ResultMissing(f"step {name!r} of workflow {self.id!r} has no result; it is {record.state}{why}")

    def results(self) -> dict[str, Any]:
        """Read the results of all steps that have one, by name."""
        reading.summary(self._runtime.store, self.id)
        return {name: decode(data) for name, data in reading.all_results(self._runtime.store, self.id)}

    def wait(self, timeout: Duration | None = None) -> WorkflowStatus:
        """Wait until the workflow has finished, without polling.

        Parameters:
          timeout: How long at most, in milliseconds or as a ``timedelta``; for ever if not given.

        Returns:
          How it ended.

        Raises:
          WorkflowTimeout: If it had not finished by then.
        """
        deadline, patience = None, 0
        if timeout is not None:
            patience = to_ms(timeout, name="timeout")
            deadline = time.monotonic() + patience / 1000
        signal = EndSignal(self._runtime.store, self.id)  # before the state is read: nothing is missed
        while not self._state().finished:
            if deadline is not None and time.monotonic() >= deadline:
                raise WorkflowTimeout(f"workflow {self.id!r} hasn't finished after {patience} ms")
            signal.wait(deadline)
        return self.status()

    def events(self, since: str | datetime = "0", *, follow: bool = False) -> Iterator[Event]:
        """Read the workflow's events.

        Parameters:
          since: Where to begin: behind the event of this id, at a time, or with the first one (``"0"``).
          follow: Whether to wait for more until the workflow has finished.

        Raises:
          ConfigurationError: If ``since`` is none of these.
        """
        reader, seen = EventReader(self._runtime.store, self.id), position(since)
        while True:
            last_look = self._state().finished or not follow  # asked before reading, so nothing is missed
            ended = False
            for event in reader.read(seen):
                seen, ended = event.id, event.event == EventType.WORKFLOW_FINISHED
                yield event
            if last_look:
                return
            if not ended:  # it finished after it was asked: there is nothing to wait for
                reader.wait(seen)

    def cancel(self, reason: str = "", *, interrupt: bool = False) -> int:
        """Cancel every step that hasn't settled, wherever it is: in a queue, waiting, delayed or being executed.

        From the moment at which the server hears of it, no step of this run starts or completes any more; the
        workflow becomes ``cancelled``. Callbacks of steps that were cancelled before are still run.

        An actor that is running sees :attr:`.Step.cancelled` after 5 seconds at most; what it answers is ignored.

        Parameters:
          reason: Why, for whoever looks at the steps.
          interrupt: Whether :class:`.StepCancelled` is also raised in the threads of running actors, like
            Dramatiq's ``TimeLimitExceeded``.

        Returns:
          How many steps were cancelled: 0 if the workflow has finished, or somebody else has cancelled it.

        Raises:
          ConfigurationError: If the reason isn't text.
        """
        if not isinstance(reason, str):
            raise ConfigurationError(f"reason must be a str, not {type(reason).__name__} {reason!r:.80}")
        cancelled = steering.cancel(self._runtime.store, self.id, reason, interrupt=interrupt)
        return cancelled.number

    def usage(self) -> UsageReport:
        """Read what its calls to providers used and cost, by model and by step.

        What ``current_step().record_usage()`` was told, also by attempts that failed.
        """
        return spending.report(self._runtime.store, self.id)

    def retry(self, *, budget: Decimal | None = None) -> int:
        """Resume a finished workflow where it failed.

        Its discarded and cancelled steps run again with fresh retries, when their deps are done. Every stored
        result is kept, and its step doesn't run.

        Parameters:
          budget: What it may spend in all, in US dollars, what it has spent already included; as before if not given.

        Returns:
          How many steps run again: 0 if all have completed.

        Raises:
          WorkflowRunning: If it hasn't finished.
          ConfigurationError: If the budget isn't an amount.
        """
        store = self._runtime.store
        limit = None if budget is None else to_dollars(budget, name="the budget")
        number, spread = steering.begin_retry(store, self.id, limit)
        release(store, self._runtime.broker, self.id, spread)
        return number

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart, with the states of its steps."""
        return to_mermaid(self.status())

    def _state(self) -> WorkflowState:
        return reading.summary(self._runtime.store, self.id)[1]


def get_run(workflow_id: str, broker: Broker | None = None) -> WorkflowRun:
    """Get the handle of a submitted workflow.

    Parameters:
      workflow_id: Its id.
      broker: A broker with a ``BatonMiddleware``; the global one if not given.

    Raises:
      WorkflowNotFound: If there is none with that id, or its data is gone.
      ConfigurationError: If the broker has no ``BatonMiddleware``.
      StoreUnavailable: If Redis doesn't answer.
    """
    broker = broker or get_broker()
    runtime = middleware_of(broker).runtime(broker)
    if not is_name(workflow_id):
        raise reading.not_found(workflow_id)
    name, _ = reading.summary(runtime.store, workflow_id)
    return WorkflowRun(runtime, workflow_id, name, created=False)
