"""What an actor can know of the step that it runs for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .errors import NotExecuting, ResultMissing, UnknownStep
from .graph import StepSpec
from .store import reading
from .store.records import unpack_result
from .store.store import Address, Store
from .usage import Usage
from .usage_of_responses import usage_of

if TYPE_CHECKING:
    from .metering import Meter
    from .once import Once

P = ParamSpec("P")
R = TypeVar("R")

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

    def __init__(
        self,
        store: Store,
        address: Address,
        *,
        workflow_name: str,
        attempt: int,
        meter: Meter,
        once: Once | None = None,
    ) -> None:
        self.workflow_id = address.workflow_id
        self.workflow_name = workflow_name
        self.name = address.step
        self.attempt = attempt
        self.cancelled = False
        self._store = store
        self._meter = meter
        self._once = once
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
                return unpack_result(self.workflow_id, dep, stored.data)
        raise ResultMissing(f"dep {dep!r} of step {self.name!r} has no result")

    @property
    def results(self) -> dict[str, Any]:
        """The results of all deps that have one, by name. Each access reads them from Redis."""
        stored = reading.results(self._store, self.workflow_id, self.deps)
        return {
            dep: unpack_result(self.workflow_id, dep, result.data)
            for dep, result in stored
            if result.data is not None
        }

    @overload
    def once(
        self, key: str, fn: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]: ...

    @overload
    def once(self, key: str, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def once(self, key: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call ``fn``, but only if no earlier attempt has: then its value is what that one got.

        The value is stored before it is returned, and kept as long as the workflow is, also over a
        ``retry()`` of it. So a step that pays for three calls doesn't pay for the first two again because
        the third one failed:

          >>> step = current_step()
          >>> draft = step.once("draft", ask_model, prompt)
          >>> review = await step.once("review", ask_model_async, draft)

        A call is repeated if it raised, if its value couldn't be stored, or if the worker died before it
        was. Where two calls for one key are under way at the same time (of two threads, or of an execution
        that lost its lease and the one that took over), the first value that is stored is what both get.

        An execution that was cancelled or has lost its lease stores nothing more: it gets what is stored,
        else the value of its own call.

        While Redis doesn't answer, ``fn`` isn't called; a value that it returned already is kept until it
        does. An interrupt (time limit, shutdown) that comes meanwhile is raised behind that.

        Parameters:
          key: Names the call within the step: any text of 1 to 200 characters without control characters.
          fn: What to call. If it is a coroutine function, this gives back a coroutine, which keeps its
            event loop free while it asks Redis. So it does if ``fn`` returns an awaitable, except that the
            loop waits while it is looked up whether there is a value.
          *args: Its arguments; they aren't compared with those of an earlier call.
          **kwargs: Its keyword arguments.

        Raises:
          InvalidName: If the key can't be used.
          NotExecuting: In a callback. A callback runs because its step won't.
          ResultNotSerializable: If the value can't be stored. By then the call was made.
          ResultTooLarge: If it is larger than ``max_result_size``. By then the call was made.
          StoreUnavailable: If Redis doesn't answer when it is asked for the value. ``fn`` wasn't called.
        """
        if self._once is None:
            raise NotExecuting(f"step {self.name!r} isn't being executed: a callback can't use once()")
        return self._once.call(key, fn, args, kwargs)

    @overload
    def record_usage(self, response: object, /, *, provider: str | None = None) -> Decimal | None: ...

    @overload
    def record_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        provider: str | None = None,
    ) -> Decimal | None: ...

    def record_usage(self, *response: Any, provider: str | None = None, **used: Any) -> Decimal | None:
        """Record what a call to a provider used, so that its cost is shown, and counts towards the workflow's budget.

          >>> answer = client.chat.completions.create(model="gpt-4o-mini", messages=[...])
          >>> current_step().record_usage(answer)
          >>> current_step().record_usage(model="our-model", input_tokens=1200, output_tokens=80)

        Record each call as soon as it has answered: it is kept even if this attempt fails later. Each record counts,
        so inside of :meth:`once` it belongs into the function that is called.

        While Redis doesn't answer this waits, and the event loop of an async actor with it: there,
        ``await asyncio.to_thread(step.record_usage, answer)`` leaves it free.

        Parameters:
          response: The provider's own response, as ``openai``, ``anthropic`` or ``google-genai`` gives it, or its JSON.
          model: Else, the model, as the provider calls it.
          input_tokens: All tokens of the prompt, those that came from the provider's cache or went into it among them.
          output_tokens: All tokens of the answer.
          cache_read_tokens: Those of the prompt that were read from the cache.
          cache_write_tokens: Those of the prompt that were written to it.
          provider: The provider, where the model's name doesn't say enough.

        Returns:
          What the call cost, in US dollars; ``None`` if the model has no known price.

        Raises:
          ConfigurationError: If the response doesn't tell, or a number isn't one; nothing is recorded.
          InvalidName: If the model or the provider can't be a name.
        """
        if response:
            return self._meter.record(usage_of(*response, provider=provider, **used))
        return self._meter.record(Usage(provider=provider, **used))


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
