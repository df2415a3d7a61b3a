"""One delivery of a step's message to this worker, from the gate to its acknowledgement."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dramatiq.broker import MessageProxy

from .decisions import Action
from .messages import StepMessage
from .observing import Execution
from .states import StepState
from .store.replies import Claim, Spread

if TYPE_CHECKING:
    from .advancing import Plan
    from .runtime import Runtime

_ATTRIBUTE = "_baton_delivery"
_AHEAD = "_baton_claimed_ahead"
_current: ContextVar[Delivery | None] = ContextVar("dramatiq_baton_delivery", default=None)


@dataclass(frozen=True, slots=True)
class Return:
    """The step's message is to be sent again.

    Attributes:
      seq: The number of that sending.
      delay: Milliseconds until it is due; ``None`` for at once.
      retries: Dramatiq's retry count for it.
      before: The deliveries that the gate didn't answer, one after the other, up to this one.
      refusals: How often in a row a provider has refused the step.
    """

    seq: int
    delay: int | None
    retries: int
    before: tuple[str, ...] = ()
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the gate said of a message before it was processed.

    Attributes:
      step: Which step the message is for.
      holder: The name of the delivery for which it was asked.
      claim: What it said.
    """

    step: StepMessage
    holder: str
    claim: Claim


@dataclass(slots=True, eq=False)
class Delivery:
    """What happens to a message of a step in this worker.

    The hooks of the middleware are called one by one, and each may be cut short by an exception from
    another thread. What has been reached is kept here, so that the last hook can do what is left.

    Attributes:
      runtime: The middleware's parts.
      message: The message as Dramatiq handed it over.
      step: Which step it is for; ``None`` if that can't be read.
      retries: Dramatiq's retry count when it arrived.
      holder: Names this delivery to the gate.
      ahead: What the gate said before this delivery began; ``None`` if it wasn't asked.
      claim: What the gate said; ``None`` as long as it hasn't answered.
      dropped: Whether the message is no business of ours, or of nobody's.
      ready: Whether the actor may run: the gate says so, and its arguments are complete.
      args, kwargs: The actor's arguments with the results of its deps in them.
      begun: Whether the actor's function was called.
      answer: What it returned, alone in a tuple; ``None`` as long as it hasn't.
      action: What its answer means, once that was decided.
      encoded: Its result, encoded.
      plan: How the fast path records it, once that was decided.
      execution: What observers are told of its actor's run; ``None`` if there are none, or it didn't run.
      recorded: Whether that is written down.
      state: The step's state by that; ``None`` if it had no say any more.
      spread: What followed from it, for others to be told.
      retry_seq: The number of Dramatiq's retry; ``None`` if there is none, or it must not count.
      back: How the step comes back, if Baton sends it.
      skipped: Whether Dramatiq was told to skip the message; that is no news to anybody.
      concluded: Whether all is done that Baton has to do about this delivery.
    """

    runtime: Runtime
    message: MessageProxy
    step: StepMessage | None
    holder: str
    retries: int = 0
    ahead: Claim | None = None
    claim: Claim | None = None
    dropped: bool = False
    ready: bool = False
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    begun: bool = False
    answer: tuple[Any] | None = None
    action: Action | None = None
    encoded: bytes = b""
    plan: Plan | None = None
    execution: Execution | None = None
    recorded: bool = False
    state: StepState | None = None
    spread: Spread | None = None
    retry_seq: int | None = None
    back: Return | None = None
    skipped: bool = False
    concluded: bool = False

    @property
    def words(self) -> str:
        """What its execution carries for observers, as JSON; mostly empty."""
        return "" if self.execution is None else self.execution.words


def current_delivery() -> Delivery | None:
    """The delivery that the calling worker thread works on."""
    return _current.get()


def begin(delivery: Delivery) -> None:
    """Make a delivery the current one, and let it be found by its message."""
    setattr(delivery.message, _ATTRIBUTE, delivery)
    _current.set(delivery)


def put_ahead(message: MessageProxy, ahead: Ahead) -> None:
    """Note what the gate said of a message that is still to be processed."""
    setattr(message, _AHEAD, ahead)


def ahead_of(message: MessageProxy) -> Ahead | None:
    """What the gate said of a message before it was processed."""
    found: Ahead | None = message.__dict__.get(_AHEAD)
    return found


def end() -> None:
    """Forget the current delivery."""
    _current.set(None)


def delivery_of(message: MessageProxy) -> Delivery | None:
    """The delivery that a message was begun as; ``None`` if the gate never saw it."""
    found: Delivery | None = message.__dict__.get(_ATTRIBUTE)
    return found
