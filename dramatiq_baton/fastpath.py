"""What may be done in fewer round trips: where broker and state share one server, one script may do the work of both.

Each shortcut is taken only if nobody can tell the difference. Other middleware that wants to see a message being
enqueued, or has something to do between a step's end and its acknowledgement, still sees everything.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker as StockRedisBroker
from dramatiq.encoder import JSONEncoder
from dramatiq.message import get_encoder
from dramatiq.results import Results

from .brokers import RedisBroker
from .store.connection import Connections, same_server

#: Options with which one of Dramatiq's own middleware does something when a step has ended. Should the worker die
#: before it has, the message must come again.
MEANS_MORE_TO_DO = ("on_success", "pipe_target", "group_callbacks", "group_completion_uuid")


class Shortcuts:
    """Which shortcuts a broker's set of middleware allows.

    Parameters:
      broker: The broker.
      ours: Baton's middleware.
    """

    def __init__(self, broker: Broker, ours: Middleware) -> None:
        self._broker = broker
        self._others = [middleware for middleware in broker.middleware if middleware is not ours]

    @cached_property
    def sends(self) -> bool:
        """Whether a script may put messages into queues: nobody listens to that."""
        return not any(
            _listens(middleware, "before_enqueue") or _listens(middleware, "after_enqueue")
            for middleware in self._others
        )

    @cached_property
    def claims_ahead(self) -> bool:
        """Whether a step may be claimed before its message is processed: nobody refuses messages."""
        return not any(
            (_listens(middleware, "before_process_message") and not _is_dramatiqs(middleware))
            or getattr(middleware, "max_age", None) is not None
            for middleware in self._others
        )

    @cached_property
    def ageing(self) -> tuple[str, ...]:
        """The actors whose messages may be refused for their age: they aren't claimed before."""
        return tuple(name for name, actor in self._broker.actors.items() if "max_age" in actor.options)

    @cached_property
    def acknowledges(self) -> bool:
        """Whether a message may be acknowledged in the script that completes its step, if its options allow it."""
        return not any(
            _listens(middleware, "after_process_message") and not _is_dramatiqs(middleware)
            for middleware in self._others
        )

    @cached_property
    def stores_results(self) -> bool:
        """Whether Dramatiq's ``Results`` stores results of messages that don't say otherwise."""
        return any(
            isinstance(middleware, Results) and middleware.store_results for middleware in self._others
        )


class FastPath:
    """The shortcuts of one process.

    Parameters:
      broker: A broker on the server that holds the state.
      ours: Baton's middleware.
    """

    def __init__(self, broker: RedisBroker, ours: Middleware) -> None:
        self.broker = broker
        self._ours = ours
        self._seen = (0, 0)
        self._shortcuts: Shortcuts | None = None

    @property
    def shortcuts(self) -> Shortcuts:
        """What the broker's middleware and actors allow now: more may have been added."""
        shortcuts, now = self._shortcuts, (len(self.broker.middleware), len(self.broker.actors))
        if shortcuts is None or self._seen != now:
            self._seen = now
            shortcuts = self._shortcuts = Shortcuts(self.broker, self._ours)
        return shortcuts

    def sends_to(self) -> str:
        """The namespace into whose queues scripts may put messages; empty if they may not."""
        return self.broker.namespace if self.shortcuts.sends else ""

    def may_claim_ahead(self, message: MessageProxy) -> bool:
        """Whether the step of a fetched message may be claimed before it is processed."""
        return "max_age" not in message.options and "max_age" not in self._actor_options(message)

    def may_acknowledge(self, message: MessageProxy) -> bool:
        """Whether a message may be acknowledged in the script that completes its step."""
        shortcuts = self.shortcuts
        if not shortcuts.acknowledges:
            return False
        message_options, actor_options = message.options, self._actor_options(message)
        for option in MEANS_MORE_TO_DO:
            if message_options.get(option) or actor_options.get(option):
                return False
        stores = message_options.get("store_results", actor_options.get("store_results"))
        return not (shortcuts.stores_results if stores is None else stores)

    def _actor_options(self, message: MessageProxy) -> dict[str, Any]:
        options: dict[str, Any] = self.broker.get_actor(message.actor_name).options
        return options


def fast_path(broker: Broker, connections: Connections, ours: Middleware) -> FastPath | None:
    """The shortcuts for a broker, or ``None`` if there can be none: it is another kind, or elsewhere."""
    if not isinstance(broker, RedisBroker) or type(get_encoder()) is not JSONEncoder:
        return None
    kind = type(broker)
    if kind.enqueue is not StockRedisBroker.enqueue or kind.do_enqueue is not RedisBroker.do_enqueue:
        return None
    return FastPath(broker, ours) if same_server(connections, broker.client) else None


def _listens(middleware: Middleware, hook: str) -> bool:
    return getattr(type(middleware), hook) is not getattr(Middleware, hook)


def _is_dramatiqs(middleware: Middleware) -> bool:
    return type(middleware).__module__.startswith("dramatiq.")
