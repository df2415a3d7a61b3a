"""The fast path: completes a step, acknowledges its message, sends its dependents and claims what the thread runs
next, all in one round trip. What can't be done so is left to the slower ways, which do the same one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dramatiq import Worker
from dramatiq.broker import MessageProxy
from dramatiq.errors import ActorNotFound
from dramatiq.worker import _WorkQueueItem

from . import gate, messages
from .brokers.redis import ACKNOWLEDGED, BlockingConsumer
from .delivery import Ahead, Delivery, ahead_of, put_ahead
from .errors import CorruptData
from .fastpath import FastPath
from .messages import StepMessage
from .persistence import until_answered
from .states import StepState
from .store.replies import Advance, Gate, claim_from
from .store.store import Following, Place, Turn
from .turns import TurnQueue


@dataclass(frozen=True, slots=True)
class Lane:
    """The fast path in a worker process.

    Attributes:
      path: Which shortcuts there are.
      worker: The worker.
      turns: Its queue of messages.
    """

    path: FastPath
    worker: Worker
    turns: TurnQueue

    @classmethod
    def into(cls, worker: Worker, path: FastPath) -> Lane:
        """Open a fast path in a worker that is about to start."""
        turns = worker.work_queue = TurnQueue()
        path.broker.threads = worker.worker_threads
        return cls(path, worker, turns)

    def consumer(self, queue: str) -> BlockingConsumer | None:
        """Who fetches the messages of a queue here; ``None`` if it isn't known at the moment."""
        thread = self.worker.consumers.get(queue)
        consumer = thread.consumer if thread is not None else None
        return consumer if isinstance(consumer, BlockingConsumer) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of Redis. It stays the same should it have to be asked again.

    Attributes:
      acknowledge: The broker's id of the message; empty if it isn't to be acknowledged yet.
      holder: Names the next delivery to the gate.
      turn: What the thread runs next.
      item: That message, if it was fetched already.
      following: Its step.
    """

    acknowledge: str
    holder: str
    turn: Turn = Turn.NOTHING
    item: _WorkQueueItem | None = None
    following: StepMessage | None = None


def complete(delivery: Delivery, step: StepMessage, lane: Lane) -> None:
    """Complete a step whose result is encoded. Waits for Redis as long as it takes.

    Doing it again, should an exception of another thread have cut it short, changes nothing.

    Raises:
      BatonError: If the data can't be worked on.
    """
    runtime, message = delivery.runtime, delivery.message
    token = delivery.claim.token if delivery.claim is not None else 0
    plan = delivery.plan
    if plan is None:
        plan = delivery.plan = _plan(delivery, lane)

    place = Place(lane.path.broker.namespace, message.queue_name, lane.path.broker.broker_id)
    following = None
    if (to_claim := plan.following) is not None:
        wanted = gate.wanted_with_claim(to_claim)
        following = Following(to_claim.address, to_claim.seq, wanted, to_claim.before)

    def ask() -> Advance:
        return runtime.store.advance(
            step.address,
            token,
            delivery.encoded,
            place=place,
            acknowledge=plan.acknowledge,
            turn=plan.turn,
            thread=f"{runtime.worker}/{threading.get_ident()}",
            holder=plan.holder,
            delay=gate.delay_of(runtime),
            max_rescues=runtime.options.max_rescues,
            worker=runtime.worker,
            following=following,
            ageing=lane.path.shortcuts.ageing,
            words=delivery.words,
        )

    try:
        advance = until_answered(ask, what="an outcome", step=step.address.step)
    finally:
        if plan.item is not None:
            lane.turns.keep(plan.item)
    delivery.spread = advance.spread
    delivery.state = StepState.COMPLETED if advance.spread.word == "ok" else None
    runtime.leases.drop(step.address, token)
    if plan.acknowledge:
        message.__dict__[ACKNOWLEDGED] = True
    if plan.item is not None and plan.following is not None:
        _hold(delivery, plan.item.message, plan.following, plan.holder, advance.claim)
    elif advance.message:
        _adopt(delivery, lane, plan.holder, advance)
    delivery.recorded = True


def _plan(delivery: Delivery, lane: Lane) -> Plan:
    message = delivery.message
    fetched_here = lane.consumer(message.queue_name) is not None
    acknowledge = (
        message.options["redis_message_id"] if fetched_here and lane.path.may_acknowledge(message) else ""
    )
    holder = delivery.runtime.next_holder()
    if not lane.path.shortcuts.claims_ahead or lane.turns.closed:
        return Plan(acknowledge, holder)
    namespace = delivery.runtime.options.namespace
    if first := lane.turns.take_first(lambda message: _step_to_claim(message, lane, namespace)):
        return Plan(acknowledge, holder, Turn.FETCHED, *first)
    if fetched_here and lane.turns.empty():
        return Plan(acknowledge, holder, Turn.FIRST)
    return Plan(acknowledge, holder)


def _step_to_claim(message: MessageProxy, lane: Lane, namespace: str) -> StepMessage | None:
    if not messages.is_for_step(message) or not lane.path.may_claim_ahead(message):
        return None
    try:
        step = messages.read(message)
    except CorruptData:
        return None
    return step if step.namespace == namespace else None


def _hold(
    delivery: Delivery, message: MessageProxy, step: StepMessage, holder: str, answer: Sequence[Any]
) -> None:
    """Note what the gate said of the message that this thread runs next."""
    if not answer:
        return
    claim = claim_from(step.address.workflow_id, answer)
    put_ahead(message, Ahead(step, holder, claim))
    if claim.word in (Gate.RUN, Gate.CALLBACK):
        delivery.runtime.leases.hold(step.address, claim.token)


def _adopt(delivery: Delivery, lane: Lane, holder: str, advance: Advance) -> None:
    """Run a message next that was taken off its queue. It stands among those that this process has fetched."""
    queue = delivery.message.queue_name
    consumer = lane.consumer(queue)
    if consumer is None:
        return  # it has just broken off: Dramatiq gives the message back, and the rescue the lease
    message = consumer.adopt(advance.message)
    if advance.claim:
        _hold(delivery, message, messages.read(message), holder, advance.claim)
    try:
        actor = lane.path.broker.get_actor(message.actor_name)
    except ActorNotFound as error:  # as Dramatiq's consumer does with a message that it can't process
        message.fail()
        message.stuff_exception(error)
        lane.worker.consumers[queue].post_process_message(message)
        return
    lane.turns.add(actor.priority, message)


def give_back(lane: Lane) -> None:
    """Give back what the calling thread would have run next: it stops."""
    item = lane.turns.take_own()
    if item is None:
        return
    if ahead_of(item.message) is None:
        lane.turns.put(item)
        lane.turns.task_done()
        return
    lane.worker.consumers[item.message.queue_name].post_process_message(item.message)
    lane.turns.task_done()
