"""The actors of a round. They ask Redis for nothing themselves, so that only Baton has to bear its absence.

``CHAOS_URL`` says where Redis is (for a worker, a proxy), ``CHAOS_LEASE_TTL`` and ``CHAOS_RESCUE_INTERVAL`` are
milliseconds. ``CHAOS_BROKER`` says whose broker works: ``ours``, which takes the fast path, or ``dramatiq``'s own.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from dramatiq_baton import BatonMiddleware, Cancel, Discard, Snooze, current_step, workflow_actor
from dramatiq_baton.brokers import RedisBroker as OurRedisBroker

from .graphs import MAX_RETRIES, value_of

kind = RedisBroker if os.environ.get("CHAOS_BROKER") == "dramatiq" else OurRedisBroker
broker = kind(url=os.environ["CHAOS_URL"], namespace="chaos-broker")
broker.add_middleware(AsyncIO())
broker.add_middleware(
    BatonMiddleware(
        url=os.environ["CHAOS_URL"],
        namespace="chaos",
        snooze_delay=100,
        lease_ttl=int(os.environ["CHAOS_LEASE_TTL"]),
        rescue_interval=int(os.environ["CHAOS_RESCUE_INTERVAL"]),
        max_rescues=1000,  # workers die so often here that a step may well lose a few in a row
    )
)
dramatiq.set_broker(broker)

Inputs = dict[str, dict[str, Any] | None]


def answer(verb: str, times: int, own: int, inputs: Inputs) -> dict[str, Any]:
    """Answer as ordered: ``fail`` and ``snooze`` so many times, then compute from the deps' results.

    The nonce tells this computation from any other of the same step.
    """
    step = current_step()
    assert step is not None
    if verb == "discard":
        raise Discard("as ordered")
    if verb == "cancel":
        raise Cancel("as ordered")
    if verb == "fail" and step.attempt <= times:
        raise ValueError("as ordered")
    if verb == "snooze" and step.attempt <= times:
        raise Snooze(50)
    values = {name: None if given is None else given["value"] for name, given in inputs.items()}
    return {
        "value": value_of(own, values),
        "nonce": secrets.token_hex(8),
        "seen": {name: given["nonce"] for name, given in inputs.items() if given is not None},
    }


@workflow_actor(queue_name="chaos", max_retries=MAX_RETRIES, min_backoff=20, max_backoff=60)
def compute(verb: str, times: int, own: int, busy: int, inputs: Inputs) -> dict[str, Any]:
    time.sleep(busy / 1000)
    return answer(verb, times, own, inputs)


@workflow_actor(queue_name="chaos-async", max_retries=MAX_RETRIES, min_backoff=20, max_backoff=60)
async def compute_async(verb: str, times: int, own: int, busy: int, inputs: Inputs) -> dict[str, Any]:
    await asyncio.sleep(busy / 1000)
    return answer(verb, times, own, inputs)
