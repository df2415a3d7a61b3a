"""One run of a workflow for a test: what is done next, and how time passes meanwhile."""

from __future__ import annotations

import asyncio
import bdb
from collections import Counter

from dramatiq.broker import MessageProxy
from dramatiq.middleware import Interrupt

from ..delivery import delivery_of
from ..errors import WorkflowStuck
from ..release import release
from ..run import WorkflowRun
from ..runtime import Runtime
from ..store import reading, sandbox, upkeep
from ..store.replies import Gate
from ..store.sandbox import Delay
from ..store.store import Address
from ..store.upkeep import Overdue
from .clock import Clock
from .worker import DelayedMessages, ThreadlessWorker

#: After so many deliveries of one step, it is taken for one that never settles.
MOST_DELIVERIES = 1_000
#: After so many messages of one actor that are no steps, it is taken for one that sends them for ever.
MOST_MESSAGES = 10_000


class Performance:
    """A workflow that is being run.

    Parameters:
      worker: Processes its messages.
      runtime: The parts of its broker's middleware.
      clock: By which its messages are delayed.
      run: The workflow.

    Attributes:
      errors: What the latest failed attempt of each step raised, the first to fail for the last time first.
    """

    def __init__(self, worker: ThreadlessWorker, runtime: Runtime, clock: Clock, run: WorkflowRun) -> None:
        self.errors: dict[str, BaseException] = {}
        runtime.witness = self._witness
        self._worker = worker
        self._store = runtime.store
        self._clock = clock
        self._run = run
        self._deliveries: Counter[str] = Counter()
        self._delayed = DelayedMessages()
        # Eager steps that wait for their deps ask again and again. No time has to pass for that.
        self._blocked = DelayedMessages()
        self._blocked_ids: set[str] = set()
        self._moved = True  # since nothing but blocked steps was left
        self._due: dict[Delay, int] = {}  # when, by our clock
        self._raised: BaseException | None = None  # by the actor that ran last

    def go_on(self) -> None:
        """Do all that there is to do, until the workflow has finished and nothing is left but what is delayed.

        Raises:
          WorkflowStuck: If it doesn't finish.
        """
        while True:
            self._work()
            if reading.summary(self._store, self._run.id)[1].finished:
                return
            self._skip_time()

    def _witness(self, address: Address, error: BaseException) -> None:
        self._raised = error
        if address.workflow_id == self._run.id:
            self.errors.pop(address.step, None)
            self.errors[address.step] = error

    def _work(self) -> None:
        while True:
            for delayed in self._worker.fetch():
                blocked = delayed.message.message_id in self._blocked_ids
                (self._blocked if blocked else self._delayed).put(delayed)
            message = self._worker.process_next()
            if message is None:
                return
            self._look_at(message)

    def _look_at(self, message: MessageProxy) -> None:
        """See what has become of a message that was processed."""
        for error in (self._raised, message._exception):
            if error is not None and _ends_everything(error):
                raise error
        self._raised = None
        delivery = delivery_of(message)
        if delivery is None or delivery.step is None:
            number = self._count(message.actor_name)
            if number >= MOST_MESSAGES:
                raise WorkflowStuck(
                    f"{number:,} messages of actor {message.actor_name!r} were processed, and there are more: "
                    "it seems to be sent for ever"
                )
            return
        if delivery.claim is not None and delivery.claim.word is Gate.SNOOZED:
            self._blocked_ids.add(message.message_id)
            return
        self._blocked_ids.discard(message.message_id)
        number = self._count(message.message_id)
        if number >= MOST_DELIVERIES:
            raise WorkflowStuck(
                f"step {delivery.step.address.step!r} was delivered {number:,} times: "
                "it seems to snooze or to be retried for ever"
            )

    def _count(self, what: str) -> int:
        self._moved = True
        self._deliveries[what] += 1
        return self._deliveries[what]

    def _skip_time(self) -> None:
        """Let the time pass until there is something to do."""
        waiting = sandbox.delays(self._store)
        self._due = {delay: self._due.get(delay, delay.due + self._clock.skipped) for delay in waiting}
        times = [*self._due.values(), *self._delayed.times[:1]]
        if not times and self._moved:  # blocked steps are asked once more, all of them
            times, self._moved = self._blocked.times[-1:], False
        if not times:
            raise self._nothing_left()
        self._clock.put_forward(min(times))
        sandbox.forget_paces(self._store)
        now = self._clock.now()
        for delay, due in self._due.items():
            if due <= now:
                self._begin(delay)
        for delayed in sorted(self._delayed.take(now) + self._blocked.take(now)):
            self._worker.promote(delayed)

    def _begin(self, delay: Delay) -> None:
        """Do what the rescue does when a delay is over."""
        workflow_id = delay.address.workflow_id
        if delay.address.step:
            spread = upkeep.resend(self._store, Overdue(delay.address))
        else:
            spread = self._store.spread(workflow_id)
        release(self._store, self._worker.broker, workflow_id, spread)

    def _nothing_left(self) -> WorkflowStuck:
        steps = self._run.status().steps.values()
        open_ = ", ".join(f"{step.name!r} ({step.state})" for step in steps if not step.state.settled)
        return WorkflowStuck(
            f"workflow {self._run.name!r} can't finish: no message is left, and these steps haven't settled: {open_}; "
            "the log tells why a message was not sent"
        )


def _ends_everything(error: BaseException) -> bool:
    """Whether an exception isn't the actor's own failure, but is meant to end the test."""
    if isinstance(error, Exception):
        # The debugger was left; pytest's own way to do that is an Exception as well.
        return isinstance(error, bdb.BdbQuit) or type(error).__module__ == "_pytest.outcomes"
    return not isinstance(error, Interrupt | asyncio.CancelledError)
