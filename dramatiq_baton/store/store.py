"""The changes of a workflow that workers make, each of them one atomic script.

What submitters and operators need too is a talk (see ``talks.py``) of a name of its own: ``spreading()`` is that of
``spread()``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import ConfigurationError
from ..names import is_in_braces
from ..observing import News
from ..states import StepState
from .connection import Connections
from .keys import SEPARATOR, Keys
from .loops import Loops
from .news import news_from
from .refusals import in_no_slot
from .replies import Advance, Claim, Spread, advance_from, claim_from, spread_from
from .routes import Client
from .scripts import script
from .talks import Argument, Ask, Talk

OLDEST_SERVER = (6, 2)


@dataclass(frozen=True, slots=True)
class Address:
    """Which step is meant."""

    workflow_id: str
    step: str


class Turn(StrEnum):
    """What a thread runs next. The words are those of ``advance.lua``."""

    NOTHING = ""
    FETCHED = "fetched"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message was fetched.

    Attributes:
      namespace: The namespace of the ``RedisBroker``.
      queue: The queue.
      broker_id: The broker's name for this process.
    """

    namespace: str
    queue: str
    broker_id: str


@dataclass(frozen=True, slots=True)
class Following:
    """The step that a thread runs next.

    Attributes:
      address: The step.
      seq: The number that its message carries.
      wanted: The deps whose results are to come along.
      before: Names deliveries that put the message back because they got no answer.
    """

    address: Address
    seq: int
    wanted: Sequence[str]
    before: Sequence[str] = ()

    @property
    def arguments(self) -> tuple[Argument, ...]:
        before = SEPARATOR.join(self.before)
        return (before, self.address.workflow_id, self.address.step, self.seq, *self.wanted)


class Store:
    """The workflows of one namespace.

    Parameters:
      client: Says where Redis is; see :class:`.connection.Connections`.
      namespace: The first part of all keys.
      lease_ttl: How long a lease is valid without being renewed, in milliseconds.
      events_maxlen: About how many events ``workflow:all`` keeps.
    """

    def __init__(
        self,
        client: Client,
        *,
        namespace: str = "baton",
        lease_ttl: int = 15_000,
        events_maxlen: int = 100_000,
    ) -> None:
        #: The namespace of the broker into whose queues scripts put messages; empty if they may not.
        self.sends_to: Callable[[], str] = lambda: ""
        #: Told what each script has changed, if anybody wants to know; and whether words are carried for observers.
        self.watcher: Callable[[Sequence[News]], None] | None = None
        self.carries = False
        self.connections = Connections(client, namespace)
        self.loops = Loops(self.connections)
        self.keys = Keys(namespace)
        self.lease_ttl = lease_ttl
        self.events_maxlen = events_maxlen

    def check_server(self) -> None:
        """Make sure that the server will do; see :meth:`checking_server`."""
        self.connections.hold(self.checking_server())

    def checking_server(self) -> Talk[None]:
        """Make sure that the server can do what the scripts need.

        Raises:
          StoreUnavailable: If it doesn't answer.
          ConfigurationError: If it is too old, refuses the credentials, or is a cluster that would spread the keys.
        """
        lines = (yield Ask("INFO", "server")).decode().splitlines()
        info = {name: value for name, _, value in (line.partition(":") for line in lines)}
        version = info.get("redis_version", "0.0")
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SERVER:
            raise ConfigurationError(
                f"the server at {self.connections.address} is version {version}; "
                "Baton needs Redis 6.2 or newer, or Valkey"
            )
        mode = info.get("server_mode", info.get("redis_mode"))
        if mode == "cluster" and not is_in_braces(self.keys.namespace):
            raise in_no_slot(f"Redis at {self.connections.address}", self.keys.namespace)

    def claim(
        self,
        address: Address,
        *,
        holder: str,
        seq: int,
        delay: int,
        max_rescues: int,
        worker: str,
        wanted: Sequence[str],
        before: Sequence[str] = (),
    ) -> Claim:
        """Ask the gate. See ``lua/claim.lua``.

        Parameters:
          address: The step.
          holder: Names this delivery; asking again with the same one changes nothing.
          seq: The number that its message carries.
          delay: How long it snoozes if its deps haven't settled, in milliseconds.
          max_rescues: After how many deaths of its workers it is discarded.
          worker: Who asks, for events.
          wanted: The deps whose results are to come along.
          before: Names deliveries that put the message back because they got no answer.
        """
        reply = self.run(
            "claim",
            address.workflow_id,
            address.step,
            holder,
            seq,
            delay,
            max_rescues,
            worker,
            SEPARATOR.join(before),
            *wanted,
        )
        return claim_from(address.workflow_id, reply)

    def settle(
        self,
        address: Address,
        token: int,
        outcome: StepState,
        *,
        worker: str,
        result: bytes = b"",
        reason: str = "",
        error: str = "",
        words: str = "",
    ) -> Spread:
        """Record how an execution ended for good. See ``lua/settle.lua``; ``words`` is what it carries."""
        reply = self.run(
            *("settle", address.workflow_id, address.step, token, outcome, result, reason, error, worker),
            words=words,
        )
        return spread_from(address.workflow_id, reply)

    def advance(
        self,
        address: Address,
        token: int,
        result: bytes,
        *,
        place: Place,
        acknowledge: str,
        turn: Turn,
        thread: str,
        worker: str,
        holder: str = "",
        delay: int = 0,
        max_rescues: int = 0,
        following: Following | None = None,
        ageing: Sequence[str] = (),
        words: str = "",
    ) -> Advance:
        """Complete a step and do all that follows from it. See ``lua/advance.lua``.

        Parameters:
          address: The step.
          token: Its lease's.
          result: Its result, encoded.
          place: Where its message came from.
          acknowledge: The broker's id of its message; empty if it isn't to be acknowledged yet.
          turn: What the thread is to run next.
          thread: Names the thread.
          worker: Who asks, for events.
          holder, delay, max_rescues: As :meth:`claim` takes them, for the next step.
          following: The next step, if its message was fetched already.
          ageing: Else, the actors whose steps aren't to be claimed.
          words: What the execution carries.
        """
        reply = self.run(
            "advance",
            address.workflow_id,
            address.step,
            token,
            result,
            place.namespace,
            place.queue,
            acknowledge,
            place.broker_id,
            turn,
            holder,
            delay,
            max_rescues,
            worker,
            *(("", thread, SEPARATOR.join(ageing)) if following is None else following.arguments),
            words=words,
        )
        return advance_from(address.workflow_id, reply)

    def defer(
        self,
        address: Address,
        token: int,
        state: StepState,
        *,
        delay: int,
        retries: int,
        worker: str,
        reason: str = "",
        error: str = "",
        refused: int | None = None,
    ) -> int | None:
        """Record that a step is to run again. See ``lua/defer.lua``.

        Parameters:
          address: The step.
          token: Its lease's.
          state: ``retryable``, ``snoozed`` or ``queued``.
          delay: Milliseconds until it is due.
          retries: Dramatiq's retry count for its next message.
          worker: Who says so, for events.
          reason, error: Why.
          refused: If a provider refused its call: for how long it asks to be left alone, in milliseconds; 0 if it
            doesn't say.

        Returns:
          The number that the next message must carry, or ``None`` if the lease was lost.
        """
        reply = self.run(
            "defer",
            address.workflow_id,
            address.step,
            token,
            state,
            delay,
            retries,
            reason,
            error,
            worker,
            "" if refused is None else refused,
        )
        return int(reply[1]) if reply[0] == b"ok" else None

    def reject(self, address: Address, seq: int, reason: str) -> Spread:
        """Record that a message was refused before its actor could run. See ``lua/reject.lua``."""
        return spread_from(
            address.workflow_id, self.run("reject", address.workflow_id, address.step, seq, reason)
        )

    def spread(self, workflow_id: str, *, only: str = "") -> Spread:
        """Go on with what is to be done about many steps. See ``lua/spread.lua``.

        Parameters:
          workflow_id: The workflow.
          only: ``"cancel"`` or ``"reset"`` to go on with that, and with nothing else, should it be over.
        """
        return self.connections.hold(self.spreading(workflow_id, only=only))

    def spreading(self, workflow_id: str, *, only: str = "") -> Talk[Spread]:
        """Go on with what is to be done about many steps, as :meth:`spread` does."""
        return spread_from(workflow_id, (yield from self.running("spread", workflow_id, only)))

    def callback_done(self, address: Address, token: int) -> None:
        """Record that a cancelled step's callback was run."""
        self.run("callback_done", address.workflow_id, address.step, token)

    def run(self, name: str, workflow_id: str, *args: Argument, words: str = "") -> Any:
        """Run a script about one workflow."""
        return self.connections.hold(self.running(name, workflow_id, *args, words=words))

    def running(self, name: str, workflow_id: str, *args: Argument, words: str = "") -> Talk[Any]:
        """Run a script about one workflow; the keys and leading arguments are the same for all.

        Parameters:
          name: The script.
          workflow_id: The workflow.
          args: The arguments behind those that all have.
          words: What the caller carries for observers, as JSON; nobody reads it where there are none.
        """
        keys = (self.keys.workflow(workflow_id), self.keys.index, self.keys.all_events)
        leading = (workflow_id, self.events_maxlen, self.lease_ttl, self.sends_to())
        if self.watcher is None:
            return script(name).talk(keys, (*leading, *args))
        carried = (words or "{}") if self.carries else ""
        return _watching(script(name, watched=True).talk(keys, (*leading, *args, carried)), self.watcher)


def _watching(talk: Talk[Any], watcher: Callable[[Sequence[News]], None]) -> Talk[Any]:
    reply, news = yield from talk
    if news:
        watcher(news_from(news))
    return reply
