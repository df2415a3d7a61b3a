"""Recording what a step's actor answered: carries out what ``decisions`` decided.

Recording happens right behind the actor, before any other middleware hears of the result: from then on
it can't be lost. Telling others (dependents, the broker) happens when Dramatiq acknowledges the message,
where no exception from another thread can interfere any more.
"""

from __future__ import annotations

from dramatiq.middleware import Interrupt

from . import advancing, gate, messages
from .codec import check_size, encode
from .decisions import (
    Action,
    CallOff,
    Complete,
    Fail,
    GiveUp,
    HandBack,
    RunLater,
    decide_returned,
    describe,
)
from .delivery import Delivery, Return
from .errors import BatonError, ResultNotSerializable, ResultTooLarge
from .logs import get_logger
from .messages import StepMessage
from .observing import Execution
from .persistence import until_answered
from .release import release
from .states import StepState
from .store.replies import Gate, Spread

log = get_logger()


def record_answer(delivery: Delivery, step: StepMessage) -> None:
    """Write down what is to become of a step whose actor has answered. Waits for Redis as long as it takes.

    A failure is not recorded here: whether there is a retry is not known yet.
    """
    if delivery.action is None and delivery.answer is not None:
        delivery.action = decide_returned(delivery.answer[0])
    if isinstance(delivery.action, Complete) and not delivery.encoded:
        delivery.action = _encode(delivery, step, delivery.action)
    match delivery.action:
        case Complete() if delivery.runtime.lane is not None:
            advancing.complete(delivery, step, delivery.runtime.lane)
        case Complete():
            _settle(delivery, step, StepState.COMPLETED)
        case GiveUp(reason=reason, error=error):
            _settle(delivery, step, StepState.DISCARDED, reason=reason, error=error)
        case CallOff(reason=reason):
            _settle(delivery, step, StepState.CANCELLED, reason=reason)
        case RunLater(delay=delay, reason=reason, refusals=refusals, refused=refused):
            _send_back_later(delivery, step, StepState.SNOOZED, delay, reason, refusals, refused)
        case HandBack(reason=reason):
            _send_back_later(delivery, step, StepState.QUEUED, None, reason)


def record_retry(delivery: Delivery, step: StepMessage, error: str, *, delay: int, retries: int) -> None:
    """Write down that Dramatiq will retry a step; the number for its message is noted in the delivery."""
    delivery.retry_seq = _defer(
        delivery, step, StepState.RETRYABLE, delay=delay, retries=retries, error=error
    )


def refuse(delivery: Delivery) -> None:
    """Settle a step whose message Dramatiq refused before the gate could see it."""
    step, store = delivery.step, delivery.runtime.store
    delivery.dropped = True
    if step is None or step.namespace != delivery.runtime.options.namespace:
        return
    if isinstance(delivery.message._exception, Interrupt):  # of a middleware before us, not of the actor
        delivery.back = Return(step.seq, None, delivery.retries, refusals=step.refusals)
        return
    reason = _refusal(delivery)
    delivery.spread = until_answered(
        lambda: store.reject(step.address, step.seq, reason), what="a rejection", step=step.address.step
    )
    if delivery.spread.word == "ok":
        log.warning("a step was never run", **step.place, reason=reason)


def conclude(delivery: Delivery, *, rejected: bool) -> None:
    """Do what is left to be done when Dramatiq acknowledges or rejects the message.

    Parameters:
      delivery: The delivery.
      rejected: Whether Dramatiq rejects the message.
    """
    if delivery.concluded:
        return
    delivery.concluded = True
    step = delivery.step
    if step is None:
        return
    try:
        if delivery.claim is None and delivery.back is None and not delivery.dropped:
            # The hook that should have asked was cut short. Asked by the same delivery, the gate says the same.
            gate.ask(delivery)
            delivery.ready = False
        if not delivery.recorded and not delivery.dropped:
            _record_what_is_left(delivery, step, rejected=rejected)
        if delivery.spread is not None:
            release(
                delivery.runtime.store, delivery.runtime.broker, step.address.workflow_id, delivery.spread
            )
        if delivery.back is not None:
            _send_back(delivery, step, delivery.back)
    except BatonError as error:
        log.error("a message was not concluded; the rescue will see to it", **step.place, error=str(error))
    finally:
        if delivery.claim is not None:
            delivery.runtime.leases.drop(step.address, delivery.claim.token)
        if delivery.execution is not None:
            _tell_observers(delivery, delivery.execution)


def _tell_observers(delivery: Delivery, execution: Execution) -> None:
    match delivery.action:
        case Fail(error=reason) | GiveUp(reason=reason) | CallOff(reason=reason):
            pass
        case RunLater(reason=reason) | HandBack(reason=reason):
            pass
        case _:
            reason = ""
    delivery.runtime.observers.recorded(execution, delivery.state, reason)


def _record_what_is_left(delivery: Delivery, step: StepMessage, *, rejected: bool) -> None:
    if delivery.claim is None:
        return
    if delivery.claim.word is not Gate.RUN:
        return
    if delivery.action is None and delivery.answer is None:
        delivery.action = _action_of_the_unanswered(delivery, rejected=rejected)
    if not isinstance(delivery.action, Fail):
        record_answer(delivery, step)
        return
    error = delivery.action.error
    retries = int(delivery.message.options.get("retries", 0))
    if retries > delivery.retries and not rejected:  # Dramatiq wants a retry but could not send it
        record_retry(delivery, step, error, delay=0, retries=retries)
        if delivery.retry_seq is not None:
            delivery.back = Return(delivery.retry_seq, None, retries)
    else:
        _settle(delivery, step, StepState.DISCARDED, reason=error, error=error)


def _action_of_the_unanswered(delivery: Delivery, *, rejected: bool) -> Action:
    """What is to become of a step whose actor didn't answer though the gate let it run."""
    error = delivery.message._exception
    if isinstance(error, Interrupt) or (not delivery.ready and not rejected):
        return HandBack("it could not be started")
    if delivery.begun and error is not None:
        return Fail(describe(error))
    return GiveUp(_refusal(delivery))


def _refusal(delivery: Delivery) -> str:
    error = delivery.message._exception
    if error is not None:
        return f"never run: {describe(error)}"
    return f"never run: a middleware {'failed' if delivery.message.failed else 'skipped'} its message"


def _settle(
    delivery: Delivery, step: StepMessage, outcome: StepState, *, reason: str = "", error: str = ""
) -> None:
    runtime, token = delivery.runtime, _token(delivery)

    def ask() -> Spread:
        return runtime.store.settle(
            step.address,
            token,
            outcome,
            worker=runtime.worker,
            result=delivery.encoded,
            reason=reason,
            error=error,
            words=delivery.words,
        )

    delivery.spread = until_answered(ask, what="an outcome", step=step.address.step)
    delivery.state = outcome if delivery.spread.word == "ok" else None
    delivery.recorded = True
    runtime.leases.drop(step.address, token)


def _defer(
    delivery: Delivery,
    step: StepMessage,
    state: StepState,
    *,
    delay: int,
    retries: int,
    reason: str = "",
    error: str = "",
    refused: int | None = None,
) -> int | None:
    runtime, token = delivery.runtime, _token(delivery)

    def ask() -> int | None:
        return runtime.store.defer(
            step.address,
            token,
            state,
            delay=delay,
            retries=retries,
            worker=runtime.worker,
            reason=reason,
            error=error,
            refused=refused,
        )

    seq = until_answered(ask, what="an outcome", step=step.address.step)
    delivery.state = None if seq is None else state
    delivery.recorded = True
    runtime.leases.drop(step.address, token)
    return seq


def _send_back_later(
    delivery: Delivery,
    step: StepMessage,
    state: StepState,
    delay: int | None,
    reason: str,
    refusals: int = 0,
    refused: int | None = None,
) -> None:
    seq = _defer(
        delivery, step, state, delay=delay or 0, retries=delivery.retries, reason=reason, refused=refused
    )
    if seq is not None:
        delivery.back = Return(seq, delay, delivery.retries, refusals=refusals)


def _send_back(delivery: Delivery, step: StepMessage, back: Return) -> None:
    message = messages.resent(
        delivery.message,
        step,
        seq=back.seq,
        delay=back.delay or 0,
        retries=back.retries,
        before=back.before,
        refusals=back.refusals,
    )
    broker = delivery.runtime.broker
    try:
        broker.enqueue(message, delay=back.delay)
    except Exception as error:  # whatever a broker raises; the rescue sends it again
        log.warning("a step was not sent; the rescue will", **step.place, error=describe(error))


def _token(delivery: Delivery) -> int:
    return delivery.claim.token if delivery.claim is not None else 0


def _encode(delivery: Delivery, step: StepMessage, action: Complete) -> Action:
    """Encode a result; a step whose result can't be stored is given up."""
    limit, name, value = delivery.runtime.options.max_result_size, step.address.step, action.value
    try:
        encoded = encode(value, step=name)
        check_size(encoded, value, limit=limit, what=f"the result of step {name!r}")
    except (ResultNotSerializable, ResultTooLarge) as error:
        log.error("a result can't be stored", **step.place, error=str(error))
        return GiveUp(describe(error), describe(error))
    delivery.encoded = encoded
    return action
