"""``@llm_actor``: a workflow actor that calls a language model, and knows what its provider's refusals mean."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, cast, overload

from dramatiq import Actor, Broker
from dramatiq.actor import ActorDecorator
from dramatiq.errors import Retry

from ..actors import DepCallback, StepFunction, workflow_actor
from ..delivery import Delivery
from ..durations import MAX_MESSAGE_DELAY, Duration, to_ms
from ..graph import StepFlags
from ..logs import get_logger
from ..messages import StepMessage
from ..names import check_name
from ..options import whole_number
from .lanes import lane_of
from .patience import FailFor, Patience

P = ParamSpec("P")
R = TypeVar("R")

#: The queue of LLM actors that name no other: they wait for others most of the time, and are best kept apart.
QUEUE = "llm"

log = get_logger()


class Backoff(Retry):
    """Tells Dramatiq's ``Retries`` how long to wait after the exception that is this one's cause."""


class LLMFailure:
    """What an LLM actor makes of an exception of its function, where it runs for a step.

    Parameters:
      options: The actor's options.
      patience: What they say of refusals and backoff.
    """

    def __init__(self, options: dict[str, Any], patience: Patience) -> None:
        self.options = options
        self.patience = patience

    def __call__(self, delivery: Delivery, step: StepMessage, error: BaseException) -> None:
        """Note what becomes of the step, or have Dramatiq retry it after a delay of ours.

        Left to Dramatiq as they are: interrupts, a ``Retry`` of the actor's own, and what ``throws`` lists.

        Raises:
          Backoff: If Dramatiq is to decide.
        """
        options = {**self.options, **delivery.message.options}
        if not isinstance(error, Exception) or isinstance(error, (Retry, *_types(options.get("throws")))):
            return
        patience = Patience(
            int(options["min_backoff"]), int(options["max_backoff"]), self.patience.max_refusals
        )
        action = patience.decide(error, refusals=step.refusals, retries=delivery.retries, now=time.time())
        if not isinstance(action, FailFor):
            delivery.action = action
            return
        delivery.action = action.fail
        # Dramatiq shows no traceback of a Retry.
        log.error("an execution failed", **step.place, error=action.fail.error, exc_info=error)
        raise Backoff(action.fail.error, delay=action.delay) from error


@overload
def llm_actor(fn: Callable[P, Awaitable[R]]) -> Actor[P, R]: ...


@overload
def llm_actor(fn: Callable[P, R]) -> Actor[P, R]: ...


@overload
def llm_actor(
    *,
    queue_name: str = ...,
    priority: int = ...,
    actor_name: str | None = ...,
    broker: Broker | None = ...,
    actor_class: Callable[..., Actor[Any, Any]] = ...,
    min_backoff: Duration = ...,
    max_backoff: Duration = ...,
    max_retries: int | None = ...,
    max_refusals: int = ...,
    provider: str | None = ...,
    paced: bool = ...,
    time_limit: Duration | None = ...,
    on_dep_cancelled: DepCallback | None = ...,
    on_dep_discarded: DepCallback | None = ...,
    **options: Any,
) -> ActorDecorator: ...


def llm_actor(
    fn: Callable[..., Any] | None = None,
    *,
    queue_name: str = QUEUE,
    min_backoff: Duration = 2_000,
    max_backoff: Duration = timedelta(minutes=2),
    max_retries: int | None = 5,
    max_refusals: int = 100,
    provider: str | None = None,
    paced: bool = True,
    time_limit: Duration | None = timedelta(minutes=5),
    **options: Any,
) -> Any:
    """Declare a workflow actor that calls a language model, with whatever client.

    Examples:

      >>> @llm_actor(time_limit=60_000)
      ... def summarize(page: str) -> str:
      ...     answer = client.chat.completions.create(model="...", messages=[...])
      ...     return answer.choices[0].message.content

    Where the function runs for a step, an exception that tells of the provider's HTTP response (``status_code``,
    ``status``, ``code``, ``response`` and ``headers``; its own or those of the exceptions behind it) means:

    - 429, 503, or any with ``retry-after``: the step is snoozed for the time named, and up to a quarter longer;
      else for one that doubles with each refusal in a row, up to ``max_backoff``. No retry is consumed.
    - 400, 401, 403, 404, 422: the step is discarded at once, with the provider's words as its reason.
    - Everything else, and every other exception: Dramatiq retries it, after a delay of full jitter: anything up to
      ``min_backoff`` doubled with each retry, at most ``max_backoff``.

    What a refusal tells of the provider's limit is heeded by all steps that share it: they call at the rate that the
    provider accepts, one after the other, those that have to wait snoozed or (for a second at most) in their worker's
    thread. Until it refuses for the first time, nobody waits.

    Clients that retry by themselves (``max_retries`` of ``openai`` and ``anthropic``) should be told not to: they
    would keep a worker's thread waiting. A 429 outside a step, after ``summarize.send(page)``, is an exception like
    any other, and so is one of a function that another actor calls.

    Parameters:
      fn: The function, plain or ``async``.
      queue_name: The actor's queue.
      min_backoff: What the first backoff may be.
      max_backoff: What the longest may be, at most 7 days.
      max_retries: How often an execution that failed is repeated; ``None`` for ever.
      max_refusals: How often in a row a step may be refused and come back; refused once more, it is discarded.
        Counted in its message: any other answer starts anew, and so does a step that the rescue sends again.
      provider: Names what the limit belongs to: all steps of actors that name the same one share it. If none is named,
        those of this actor do, and among them those of the same ``model``, if their messages have such a keyword
        argument.
      paced: Whether to keep to the limit; ``False`` where something else of yours does.
      time_limit: How long one execution may take; ``None`` for no limit.
      **options: Every other option of ``workflow_actor``. ``throws`` and ``retry_when`` see the function's own
        exceptions; a ``retry_when`` of the ``Retries`` middleware sees a ``Retry`` caused by them.

    Times are milliseconds, or a ``timedelta``.

    Returns:
      A ``dramatiq.Actor``.

    Raises:
      ConfigurationError: If an option can't be used, naming it and its value.
      InvalidName: If ``provider`` can't be used.
      ValueError: As ``dramatiq.actor`` does, for options that no middleware knows. ``Retries`` and ``TimeLimit``
        have to be among the broker's.
    """
    longest = to_ms(max_backoff, name="max_backoff", least=1, most=MAX_MESSAGE_DELAY)
    patience = Patience(
        min_backoff=to_ms(min_backoff, name="min_backoff", least=1, most=longest),
        max_backoff=longest,
        max_refusals=whole_number(max_refusals, name="max_refusals", least=0),
    )
    if provider is not None:
        check_name(provider, what="a provider's name")
    options |= {
        "queue_name": queue_name,
        "min_backoff": patience.min_backoff,
        "max_backoff": patience.max_backoff,
        "max_retries": max_retries,
        "time_limit": math.inf if time_limit is None else to_ms(time_limit, name="time_limit", least=1),
    }
    if (retry_when := options.get("retry_when")) is not None:
        options["retry_when"] = lambda retries, error: retry_when(retries, _original(error))

    def decorate(fn: Callable[..., Any]) -> Actor[Any, Any]:
        actor: Actor[Any, Any] = workflow_actor(**options)(fn)
        function = cast(StepFunction, actor.fn)
        function.flags |= StepFlags.LLM
        function.on_failure = LLMFailure(actor.options, patience)
        if paced:
            function.choose_lane = lambda message: lane_of(
                message.actor_name, message.kwargs, provider=provider
            )
        return actor

    return decorate if fn is None else decorate(fn)


def _original(error: BaseException) -> BaseException:
    """The exception of the actor's function."""
    return error.__cause__ if isinstance(error, Backoff) and error.__cause__ is not None else error


def _types(throws: Any) -> tuple[type[BaseException], ...]:
    """The types that ``throws`` lists."""
    if throws is None:
        return ()
    return throws if isinstance(throws, tuple) else (throws,)
