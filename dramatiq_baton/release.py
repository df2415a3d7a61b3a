"""Sending steps that became ready, through the broker, so that every middleware sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from dramatiq import Broker

from . import messages
from .decisions import describe
from .errors import CorruptData
from .graph import StepSpec
from .logs import get_logger
from .messages import StepMessage
from .store.records import unpack_spec
from .store.replies import Released, Spread
from .store.store import Address, Store

log = get_logger()


def release(store: Store, broker: Broker, workflow_id: str, spread: Spread) -> None:
    """Send what was released, and tell the rest of the dependents, portion by portion.

    Nothing is lost if this is cut short: released steps stand in the index of queued steps, and
    dependents that are still to be told in the workflow's own list; the rescue looks at both.
    """
    while True:
        _send_portion(store, broker, spread.released)
        if not spread.unfinished:
            return
        spread = store.spread(workflow_id)


async def release_async(store: Store, broker: Broker, workflow_id: str, spread: Spread) -> None:
    """Do what :func:`release` does without blocking the event loop.

    Dramatiq's brokers block, so a portion is sent in a thread; there is none where scripts send by themselves.
    """
    while True:
        if spread.released:
            await asyncio.to_thread(_send_portion, store, broker, spread.released)
        if not spread.unfinished:
            return
        spread = await store.loops.hold(store.spreading(workflow_id))


def _send_portion(store: Store, broker: Broker, steps: Iterable[Released]) -> None:
    for step in steps:
        _send_released(store, broker, step)


def _send_released(store: Store, broker: Broker, step: Released) -> None:
    address = Address(step.workflow_id, step.step)
    try:
        spec = unpack_spec(step.step, step.spec)
    except CorruptData as error:
        log.error("a step can't be sent", workflow=step.workflow_id, step=step.step, error=str(error))
        return
    _send(store, broker, spec, address, seq=step.seq, retries=step.retries)


def send_all(store: Store, broker: Broker, workflow_id: str, specs: Iterable[StepSpec]) -> None:
    """Send every step of a workflow that was just submitted, ready or not."""
    for spec in specs:
        _send(store, broker, spec, Address(workflow_id, spec.name), seq=0, retries=0)


def _send(store: Store, broker: Broker, spec: StepSpec, address: Address, *, seq: int, retries: int) -> None:
    step = StepMessage(store.keys.namespace, address, seq, spec.refs, quorum=spec.quorum)
    try:
        broker.enqueue(messages.for_step(spec, step, retries=retries))
    except Exception as error:  # whatever a broker raises; the rescue sends it again
        log.warning("a step was not sent; the rescue will", **step.place, error=describe(error))
