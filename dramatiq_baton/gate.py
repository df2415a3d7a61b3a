"""The gate: may this message's actor run?

``before_process_message`` asks, one script decides (``store/lua/claim.lua``). Dramatiq swallows what a hook
raises and then runs the actor, so "no" can't be said by an exception of any kind. It is said by leaving
:attr:`.Delivery.claim` as it is: an actor's function runs only for a delivery that has a claim which says so.
"""

from __future__ import annotations

from .decisions import GiveUp, describe, jittered
from .delivery import Delivery, Return
from .errors import BatonError, StoreUnavailable
from .logs import get_logger
from .messages import StepMessage, fill
from .persistence import for_a_while
from .runtime import Runtime
from .store import reading
from .store.records import unpack_result
from .store.replies import Claim, Gate

#: Results that come along with the gate's answer; more are fetched in portions behind it.
RESULTS_WITH_CLAIM = 64
#: How long a worker thread waits for a Redis that doesn't answer before it puts the message back, seconds.
PATIENCE = 3.0
#: How many deliveries that got no answer a message remembers. What they asked lies in the connections that stood
#: when an outage began, so it is the oldest that matter.
MOST_UNANSWERED = 100

log = get_logger()


def ask(delivery: Delivery) -> None:
    """Ask the gate about a delivery and note its answer there.

    If Redis doesn't answer, the message goes back to its queue and the actor doesn't run.
    """
    step = delivery.step
    if step is None:
        return
    if step.namespace != delivery.runtime.options.namespace:
        delivery.dropped = True
        log.warning("dropped a message of another namespace", **step.place, namespace=step.namespace)
        return
    delay = delay_of(delivery.runtime)
    try:
        claim = delivery.claim = delivery.ahead or for_a_while(
            lambda: _claim(delivery, step, delay, wanted_with_claim(step)), seconds=PATIENCE
        )
    except StoreUnavailable as error:
        log.warning("put a step back: Redis doesn't answer", **step.place, error=str(error))
        unanswered = (*step.before, delivery.holder)[:MOST_UNANSWERED]
        delivery.back = Return(step.seq, delay, delivery.retries, unanswered, step.refusals)
        return
    except BatonError as error:
        delivery.dropped = True
        log.error("dropped a message that can't be worked on", **step.place, error=str(error))
        return
    delivery.spread = claim.spread
    match claim.word:
        case Gate.RUN:
            delivery.runtime.leases.hold(step.address, claim.token)
            _make_ready(delivery, step, claim)
        case Gate.CALLBACK:
            delivery.runtime.leases.hold(step.address, claim.token)
        case Gate.SNOOZED:
            delivery.back = Return(claim.seq, claim.delay, delivery.retries, refusals=step.refusals)
        case _:
            _tell(step, claim)


def delay_of(runtime: Runtime) -> int:
    """How long a step waits whose deps haven't settled, in milliseconds."""
    return jittered(runtime.options.snooze_delay)


def wanted_with_claim(step: StepMessage) -> list[str]:
    """The deps whose results come along with the gate's answer: those that its arguments need, unless they are many."""
    wanted = _wanted(step)
    return wanted if len(wanted) <= RESULTS_WITH_CLAIM else []


def _claim(delivery: Delivery, step: StepMessage, delay: int, wanted: list[str]) -> Claim:
    runtime = delivery.runtime
    return runtime.store.claim(
        step.address,
        holder=delivery.holder,
        seq=step.seq,
        delay=delay,
        max_rescues=runtime.options.max_rescues,
        worker=runtime.worker,
        wanted=wanted,
        before=step.before,
    )


def _wanted(step: StepMessage) -> list[str]:
    return list(dict.fromkeys(dep for _, dep in step.refs))


def _make_ready(delivery: Delivery, step: StepMessage, claim: Claim) -> None:
    """Complete the actor's arguments. If that can't be done, the step is handed back at the end."""
    wanted = _wanted(step)
    store, workflow_id = delivery.runtime.store, step.address.workflow_id
    try:
        if len(wanted) <= RESULTS_WITH_CLAIM:
            found = list(zip(wanted, claim.results, strict=True))
        else:
            found = for_a_while(lambda: list(reading.results(store, workflow_id, wanted)), seconds=PATIENCE)
            if gone := [dep for dep, stored in found if stored.pruned]:
                _cancel(delivery, step, claim, gone)
                return
        # A dep that failed has no result: one that is ignored, or that isn't needed for a quorum.
        results = {
            dep: unpack_result(workflow_id, dep, stored.data)
            for dep, stored in found
            if stored.data is not None
        }
        delivery.args, delivery.kwargs = fill(
            *(delivery.message.args, delivery.message.kwargs, step.refs, results),
            leave_out=step.quorum > 0,
        )
    except BatonError as error:
        log.error("can't complete a step's arguments", **step.place, error=str(error))
        if not isinstance(error, StoreUnavailable):
            delivery.action = GiveUp(describe(error), describe(error))
        return
    delivery.ready = True


def _cancel(delivery: Delivery, step: StepMessage, claim: Claim, gone: list[str]) -> None:
    """Ask once more, for results that are gone: the gate, which hadn't looked at them, cancels the step."""
    again = for_a_while(lambda: _claim(delivery, step, 0, gone[:1]), seconds=PATIENCE)
    delivery.runtime.leases.drop(step.address, claim.token)
    delivery.claim, delivery.spread = again, again.spread


def _tell(step: StepMessage, claim: Claim) -> None:
    """Say in the log why a message is dropped, where that isn't the normal course."""
    place = step.place
    match claim.word:
        case Gate.SETTLED:
            log.info("dropped a message: its step has settled", **place, state=claim.detail)
        case Gate.OUTDATED:
            log.info("dropped a message: a later one of its step is on its way", **place)
        case Gate.LEASED:
            log.info("dropped a duplicate: its step is being executed", **place, by=claim.detail)
        case Gate.UNKNOWN:
            log.warning("dropped a message: its workflow is unknown, or its data is gone", **place)
        case Gate.NO_STEP:
            log.warning("dropped a message: its workflow has no such step", **place)
        case Gate.NEWER:
            log.error("dropped a message: a newer release wrote its workflow; upgrade this worker", **place)
        case _:
            pass
