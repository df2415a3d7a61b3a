"""``WorkflowRun``: the handle of a submitted workflow."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from dramatiq import Broker, get_broker

from .durations import Duration, to_ms
from .errors import ConfigurationError
from .events import Event
from .mermaid import to_mermaid
from .middleware import BatonMiddleware
from .money import to_budget
from .release import release, release_async
from .runtime import Runtime
from .stand_in import in_place_of
from .states import WorkflowStatus
from .store import handle, reading, spending, steering
from .store.records import unpack_result
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

    Each has a twin for event loops: ``await run.wait_async()`` takes, gives and raises what ``run.wait()`` does, but
    blocks nothing. A task that is cancelled meanwhile leaves what a process that is killed leaves: all of what it asked
    for, or nothing, or what the rescue goes on with.
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

    async def status_async(self) -> WorkflowStatus:
        """:meth:`status` for event loops."""
        return await reading.status.aio(self._runtime.store, self.id)

    def result(self, step: Any) -> Any:
        """Read the result of a step.

        Parameters:
          step: Its name, or what ``add()`` returned for it.

        Raises:
          UnknownStep: If there is no such step.
          ResultMissing: If it hasn't completed; says in what state it is.
        """
        return handle.result(self._runtime.store, self.id, _name(step))

    async def result_async(self, step: Any) -> Any:
        """:meth:`result` for event loops."""
        return await handle.result.aio(self._runtime.store, self.id, _name(step))

    def results(self) -> dict[str, Any]:
        """Read the results of all steps that have one, by name."""
        found = reading.all_results(self._runtime.store, self.id)
        return {name: unpack_result(self.id, name, data) for name, data in found}

    async def results_async(self) -> dict[str, Any]:
        """:meth:`results` for event loops."""
        found = reading.all_results.aio(self._runtime.store, self.id)
        return {name: unpack_result(self.id, name, data) async for name, data in found}

    def wait(self, timeout: Duration | None = None) -> WorkflowStatus:
        """Wait until the workflow has finished, without polling.

        Parameters:
          timeout: How long at most, in milliseconds or as a ``timedelta``; for ever if not given.

        Returns:
          How it ended.

        Raises:
          WorkflowTimeout: If it had not finished by then.
        """
        return handle.wait(self._runtime.store, self.id, _patience(timeout))

    async def wait_async(self, timeout: Duration | None = None) -> WorkflowStatus:
        """:meth:`wait` for event loops. Any number of tasks may wait: they share connections, a hundred each."""
        return await handle.wait.aio(self._runtime.store, self.id, _patience(timeout))

    def events(self, since: str | datetime = "0", *, follow: bool = False) -> Iterator[Event]:
        """Read the workflow's events.

        Parameters:
          since: Where to begin: behind the event of this id, at a time, or with the first one (``"0"``).
          follow: Whether to wait for more until the workflow has finished.

        Raises:
          ConfigurationError: If ``since`` is none of these.
        """
        return handle.events(self._runtime.store, self.id, since, follow=follow)

    def events_async(
        self, since: str | datetime = "0", *, follow: bool = False
    ) -> AsyncGenerator[Event, None]:
        """:meth:`events` for event loops: ``async for event in run.events_async(follow=True)``."""
        return handle.events.aio(self._runtime.store, self.id, since, follow=follow)

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
        store = self._runtime.store
        return steering.cancel(store, self.id, _reason(reason), interrupt=interrupt).number

    async def cancel_async(self, reason: str = "", *, interrupt: bool = False) -> int:
        """:meth:`cancel` for event loops."""
        store = self._runtime.store
        return (await steering.cancel.aio(store, self.id, _reason(reason), interrupt=interrupt)).number

    def usage(self) -> UsageReport:
        """Read what its calls to providers used and cost, by model and by step.

        What ``current_step().record_usage()`` was told, also by attempts that failed.
        """
        return spending.report(self._runtime.store, self.id)

    async def usage_async(self) -> UsageReport:
        """:meth:`usage` for event loops."""
        return await spending.report.aio(self._runtime.store, self.id)

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
        number, spread = steering.begin_retry(store, self.id, to_budget(budget))
        release(store, self._runtime.broker, self.id, spread)
        return number

    async def retry_async(self, *, budget: Decimal | None = None) -> int:
        """:meth:`retry` for event loops."""
        store = self._runtime.store
        number, spread = await steering.begin_retry.aio(store, self.id, to_budget(budget))
        await release_async(store, self._runtime.broker, self.id, spread)
        return number

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart, with the states of its steps."""
        return to_mermaid(self.status())

    async def to_mermaid_async(self) -> str:
        """:meth:`to_mermaid` for event loops."""
        return to_mermaid(await self.status_async())


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
    runtime = _runtime(broker)
    name = handle.name(runtime.store, workflow_id)
    return WorkflowRun(runtime, workflow_id, name, created=False)


async def get_run_async(workflow_id: str, broker: Broker | None = None) -> WorkflowRun:
    """:func:`get_run` for event loops."""
    runtime = _runtime(broker)
    name = await handle.name.aio(runtime.store, workflow_id)
    return WorkflowRun(runtime, workflow_id, name, created=False)


def _runtime(broker: Broker | None) -> Runtime:
    broker = broker or get_broker()
    return middleware_of(broker).runtime(broker)


def _name(step: Any) -> Any:
    return getattr(step, "name", step)


def _patience(timeout: Duration | None) -> int | None:
    return None if timeout is None else to_ms(timeout, name="timeout")


def _reason(reason: str) -> str:
    if not isinstance(reason, str):
        raise ConfigurationError(f"reason must be a str, not {type(reason).__name__} {reason!r:.80}")
    return reason
