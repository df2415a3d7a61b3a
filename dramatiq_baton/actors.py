"""``@workflow_actor``: a Dramatiq actor that may be a workflow's step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, ParamSpec, TypeVar, overload

import dramatiq
from dramatiq import Actor, Broker, Message, RateLimitExceeded
from dramatiq.actor import ActorDecorator
from dramatiq.middleware import Interrupt, Shutdown, SkipMessage

from . import pacing, recording, step
from .decisions import Abandon, Complete, Fail, GiveUp, decide_raised
from .delivery import Delivery, current_delivery
from .errors import ConfigurationError
from .graph import StepFlags
from .interruption import StepCancelled
from .logs import get_logger
from .messages import StepMessage
from .metering import Meter
from .observing import Execution, words_from
from .once import Once
from .persistence import until_answered
from .step import Step
from .store.records import unpack_result
from .store.replies import Claim, Gate

P = ParamSpec("P")
R = TypeVar("R")

DepCallback = Callable[[str, Step], object]
OnFailure = Callable[[Delivery, StepMessage, BaseException], None]

log = get_logger()


class StepFunction:
    """What an actor of a workflow calls in place of the user's function.

    Called for a step's message, it does what the gate said: run the function with the results of its
    deps and record its answer, or don't. Called in any other way, it is the user's function.

    Attributes:
      flags: What the scripts must know of its steps.
      on_failure: Asked when an execution of a step failed; may note another action in the delivery, or raise
        in place of the exception. ``None`` where a failure is for Dramatiq alone.
      choose_lane: Which lane a message's step goes in; ``None`` where none has one.
    """

    on_failure: OnFailure | None = None
    choose_lane: Callable[[Message[Any]], str] | None = None

    def __init__(
        self,
        fn: Callable[..., Any],
        actor_name: str,
        on_dep_cancelled: DepCallback | None,
        on_dep_discarded: DepCallback | None,
    ) -> None:
        self.fn = fn
        self.actor_name = actor_name
        self.on_dep_cancelled = on_dep_cancelled
        self.on_dep_discarded = on_dep_discarded
        self.flags = StepFlags.NONE
        if on_dep_cancelled is not None:
            self.flags |= StepFlags.ON_DEP_CANCELLED
        if on_dep_discarded is not None:
            self.flags |= StepFlags.ON_DEP_DISCARDED
        self.__name__ = getattr(fn, "__name__", actor_name)
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn

    def lane_of(self, message: Message[Any]) -> str:
        """The lane of a step with this message; empty if it has none. See :attr:`.StepSpec.lane`."""
        return "" if self.choose_lane is None else self.choose_lane(message)

    def __repr__(self) -> str:
        return f"<StepFunction of {self.fn!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        delivery = current_delivery()
        if delivery is None or delivery.begun or delivery.message.actor_name != self.actor_name:
            return self.fn(*args, **kwargs)
        delivery.begun = True
        target, claim = delivery.step, delivery.claim
        if target is None or claim is None:
            raise skipping(delivery)
        match claim.word:
            case Gate.RUN if delivery.ready:
                return self._execute(delivery, target, claim)
            case Gate.CACHED:
                return unpack_result(target.address.workflow_id, target.address.step, claim.cached)
            case Gate.CALLBACK:
                self._call_back(delivery, target, claim)
        raise skipping(delivery)

    def _execute(self, delivery: Delivery, target: StepMessage, claim: Claim) -> Any:
        runtime = delivery.runtime
        current = Step(
            runtime.store,
            target.address,
            workflow_name=claim.workflow_name,
            attempt=claim.attempt,
            meter=_meter(delivery, target, claim),
            once=Once(runtime.store, target.address, claim.token, runtime.options.max_result_size),
        )
        try:
            with step.running(current), runtime.leases.executing(target.address, claim.token, current):
                pacing.wait_for_turn(claim.turn, current, snooze_delay=runtime.options.snooze_delay)
                with _observed(delivery, target, claim):
                    delivery.answer = (self.fn(*delivery.args, **delivery.kwargs),)
        except BaseException as error:
            # If it has answered, the exception is one that another thread raised here a moment too late.
            if delivery.answer is None:
                delivery.action = decide_raised(
                    error,
                    busy=RateLimitExceeded,
                    stopping=Shutdown,
                    cancelled=StepCancelled,
                    snooze_delay=runtime.options.snooze_delay,
                )
                if current.cancelled:
                    delivery.action = Abandon()
                if isinstance(delivery.action, Fail) and runtime.witness is not None:
                    runtime.witness(target.address, error)
                if isinstance(delivery.action, Fail) and self.on_failure is not None:
                    self.on_failure(delivery, target, error)
                if isinstance(delivery.action, Fail):
                    raise  # Dramatiq's Retries decides what comes next
        with suppress(Interrupt):  # too late as well; what is left to be recorded then is so in the last hook
            recording.record_answer(delivery, target)
        match delivery.action:
            case Complete(value=value):
                # Dramatiq warns of a value that it has no use for.
                return None if delivery.plan is not None and delivery.plan.acknowledge else value
            case GiveUp(reason=reason):
                delivery.message.fail()
                raise skipping(delivery, reason)
            case _:
                raise skipping(delivery)

    def _call_back(self, delivery: Delivery, target: StepMessage, claim: Claim) -> None:
        callback = self.on_dep_discarded if claim.dep_discarded else self.on_dep_cancelled
        store = delivery.runtime.store
        current = Step(
            store,
            target.address,
            workflow_name=claim.workflow_name,
            attempt=claim.attempt,
            meter=_meter(delivery, target, claim),
        )
        if callback is not None:
            try:
                with step.running(current):
                    callback(claim.reason, current)
            except Exception:
                log.exception(
                    "a callback failed; its step stays cancelled",
                    workflow=target.address.workflow_id,
                    step=target.address.step,
                )
        until_answered(
            lambda: store.callback_done(target.address, claim.token),
            what="that a callback was run",
            step=target.address.step,
        )


def _observed(delivery: Delivery, target: StepMessage, claim: Claim) -> AbstractContextManager[None]:
    observers = delivery.runtime.observers
    if not observers:
        return nullcontext()
    submitted, *deps = map(words_from, claim.words or ("",))
    delivery.execution = Execution(
        *(target.address.workflow_id, claim.workflow_name, target.address.step),
        *(delivery.message.actor_name, delivery.message.queue_name, claim.attempt),
        submitted=submitted,
        deps=deps,
    )
    return observers.executing(delivery.execution)


def _meter(delivery: Delivery, target: StepMessage, claim: Claim) -> Meter:
    return Meter(delivery.runtime.store, target.address, claim.attempt, delivery.runtime.pricing)


def skipping(delivery: Delivery, reason: str = "") -> SkipMessage:
    """What to raise for Dramatiq to do nothing more about a message: no retry, no callback, no result."""
    delivery.skipped = True
    # Results stores None for a skipped message. Only this delivery must not; the message may be sent again.
    delivery.message.options = {**delivery.message.options, "store_results": False}
    return SkipMessage(reason or "not for this worker to run now")


@overload
def workflow_actor(fn: Callable[P, Awaitable[R]]) -> Actor[P, R]: ...


@overload
def workflow_actor(fn: Callable[P, R]) -> Actor[P, R]: ...


@overload
def workflow_actor(
    *,
    queue_name: str = ...,
    priority: int = ...,
    actor_name: str | None = ...,
    broker: Broker | None = ...,
    actor_class: Callable[..., Actor[Any, Any]] = ...,
    on_dep_cancelled: DepCallback | None = ...,
    on_dep_discarded: DepCallback | None = ...,
    **options: Any,
) -> ActorDecorator: ...


def workflow_actor(
    fn: Callable[..., Any] | None = None,
    *,
    on_dep_cancelled: DepCallback | None = None,
    on_dep_discarded: DepCallback | None = None,
    **options: Any,
) -> Any:
    """Declare an actor whose messages may be steps of a workflow.

    Examples:

      >>> @workflow_actor(max_retries=3, queue_name="web")
      ... def fetch(url: str) -> dict: ...

    Outside a workflow it is an ordinary actor: ``fetch.send(url)`` runs it.

    Parameters:
      fn: The function, plain or ``async``.
      on_dep_cancelled: Called as ``(reason, step)`` when a step of this actor is cancelled because one
        of its deps was cancelled, or its result is gone. It runs in a worker of the step's own queue; if
        that dies meanwhile, it runs again. What it raises is logged.
      on_dep_discarded: The same for a dep that was discarded.
      **options: Every option of ``dramatiq.actor``.

    Returns:
      A ``dramatiq.Actor``.

    Raises:
      ConfigurationError: If a callback can't be called.
      ValueError: As ``dramatiq.actor`` does, for options that no middleware knows.
    """
    for name, callback in (("on_dep_cancelled", on_dep_cancelled), ("on_dep_discarded", on_dep_discarded)):
        if callback is not None and not callable(callback):
            raise ConfigurationError(f"{name} must be callable as (reason, step), not {callback!r}")

    def decorate(fn: Callable[..., Any]) -> Actor[Any, Any]:
        actor: Actor[Any, Any] = dramatiq.actor(**options)(fn)
        actor.fn = StepFunction(actor.fn, actor.actor_name, on_dep_cancelled, on_dep_discarded)
        return actor

    return decorate if fn is None else decorate(fn)


def step_function(actor: Actor[Any, Any]) -> StepFunction | None:
    """What makes an actor a workflow actor; ``None`` if it isn't one."""
    return actor.fn if isinstance(actor.fn, StepFunction) else None
