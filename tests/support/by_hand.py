"""Steps that are started and settled by hand: what a worker asks of the store, and nothing else.

For tests of what follows from a change, where who made it doesn't matter, and no worker shall disturb.
"""

from __future__ import annotations

import itertools
from typing import Any

import redis

from dramatiq_baton import StepState, WorkflowRun
from dramatiq_baton.codec import encode
from dramatiq_baton.messages import StepMessage, for_step
from dramatiq_baton.store import reading
from dramatiq_baton.store.replies import Claim, Spread
from dramatiq_baton.store.store import Address, Store

from .world import World


class ByHand:
    """A store of its own on a world's server.

    Parameters:
      world: The world.
      url: Another way to its server.
      options: Options of the :class:`.Store`.
    """

    def __init__(self, world: World, *, url: str | None = None, **options: Any) -> None:
        self._client = redis.Redis.from_url(url or world.url)
        self.store = Store(self._client, namespace=world.namespace, **options)
        self._holders = itertools.count()

    def claim(self, run: WorkflowRun, step: str, *, seq: int = 0, holder: str = "") -> Claim:
        """Ask the gate as a delivery of its own."""
        return self.store.claim(
            Address(run.id, step),
            holder=holder or f"by hand/{next(self._holders)}",
            seq=seq,
            delay=1000,
            max_rescues=3,
            worker="by hand",
            wanted=(),
        )

    def settle(
        self, run: WorkflowRun, step: str, token: int, outcome: StepState, value: Any = None, reason: str = ""
    ) -> Spread:
        """Say how an execution ended, and tell all dependents."""
        result = encode(value) if outcome is StepState.COMPLETED else b""
        spread = self.store.settle(
            Address(run.id, step), token, outcome, worker="by hand", result=result, reason=reason
        )
        left = spread
        while left.unfinished:
            left = self.store.spread(run.id)
        return spread

    def complete(self, run: WorkflowRun, step: str, value: Any = None) -> None:
        self.settle(run, step, self.claim(run, step).token, StepState.COMPLETED, value)

    def discard(self, run: WorkflowRun, step: str, reason: str = "by hand") -> None:
        self.settle(run, step, self.claim(run, step).token, StepState.DISCARDED, reason=reason)

    def cancel(self, run: WorkflowRun, step: str, reason: str = "by hand") -> None:
        self.settle(run, step, self.claim(run, step).token, StepState.CANCELLED, reason=reason)

    def close(self) -> None:
        self.store.connections.close()
        self._client.close()


def send_message(world: World, run: WorkflowRun, step: str, *, seq: int = 0) -> None:
    """Send a step's message, whether its time has come, has gone, or neither."""
    spec = reading.spec(run._runtime.store, run.id, step)
    message = StepMessage(world.namespace, Address(run.id, step), seq, spec.refs)
    world.broker.enqueue(for_step(spec, message, retries=0))


def wait_for_event(run: WorkflowRun, step: str, what: str) -> None:
    """Wait until an event of a step says so."""
    for event in run.events(follow=True):
        if (event.step, event.event) == (step, what):
            return
    raise AssertionError(f"{step} was never {what}")
