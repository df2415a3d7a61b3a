"""A ``RedisBroker`` whose consumers block on the server instead of polling it.

Dramatiq's own consumers look for messages with growing pauses, of up to a second. Here a consumer that finds
nothing blocks on a short list beside the queue, and whoever enqueues pushes into it. Keys and messages are those
of Dramatiq's broker, so both kinds of worker and submitter may share a queue; what a stock broker enqueues is
found by looking now and then, as stock consumers do.
"""

from __future__ import annotations

import heapq
import threading
from importlib.resources import files
from typing import Any, cast

import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers import redis as stock
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed

from ..errors import BatonError
from ..store.connection import Connections

#: How many times Dramatiq's ``worker_timeout`` (1 s) a consumer blocks at most. It then looks for what a stock broker
#: enqueued, or what it was not told of because whoever was told has died.
LONGEST_BLOCK = 1.5
#: The same for a queue of delayed messages.
LONGEST_BLOCK_DELAYED = 3.0
#: How long it blocks at least, in milliseconds: a server of version 6.2 makes 0 of 0.001 s, which means for ever.
SHORTEST_BLOCK = 2
#: Messages that are fetched at once.
MOST_FETCHED = 1000
#: How long a wake-up that nobody reads stays.
WAKE_TTL = 60_000
#: Marks a message that was acknowledged together with what it led to.
ACKNOWLEDGED = "_baton_acknowledged"


class RedisBroker(stock.RedisBroker):
    """A drop-in for ``dramatiq.brokers.redis.RedisBroker``: takes the same parameters, uses the same keys.

    Its workers start a message at once when it arrives, or when a delayed one is due.

    Examples:

      >>> from dramatiq_baton.brokers import RedisBroker
      >>> broker = RedisBroker(url="redis://127.0.0.1:6379/0")
    """

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self._enqueue_and_wake = self.client.register_script(_text("enqueue"))
        self._fetch_and_wake = self.client.register_script(_text("fetch"))
        #: How many threads the worker of this process has; ``None`` if there is none, or that isn't known.
        self.threads: int | None = None

    @property
    def consumer_class(self) -> type[BlockingConsumer]:
        return BlockingConsumer

    def do_enqueue(self, queue_name: str, message_id: str, data: bytes) -> None:
        """Put an encoded message into a queue and wake a consumer."""
        queue = f"{self.namespace}:{queue_name}"
        self._enqueue_and_wake(
            keys=[queue, f"{queue}.msgs", wake_key(queue)], args=[message_id, data, WAKE_TTL]
        )

    def do_fetch(self, queue_name: str, most: int) -> list[bytes]:
        """Take up to ``most`` messages off a queue."""
        fetched: list[bytes]
        if self._should_do_maintenance("fetch"):
            fetched = self._dispatch("fetch")(queue_name, most)
            return fetched
        queue = f"{self.namespace}:{queue_name}"
        acks = f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}"
        heartbeats = f"{self.namespace}:__heartbeats__"
        fetched = self._fetch_and_wake(
            keys=[queue, f"{queue}.msgs", acks, wake_key(queue), heartbeats],
            args=[min(most, MOST_FETCHED), current_millis(), self.broker_id, WAKE_TTL],
        )
        return fetched


def _text(script: str) -> str:
    return (files(__package__) / f"{script}.lua").read_text("utf-8")


def wake_key(queue: str) -> str:
    """The list that consumers of a queue, named by its key, block on."""
    return f"{queue}.wake"


class BlockingConsumer(stock._RedisConsumer):
    """Fetches messages as Dramatiq's consumer does, but blocks when there are none."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self._connections = Connections(broker.client)
        self._wake = wake_key(f"{broker.namespace}:{queue_name}")
        self._longest = int(
            timeout * (LONGEST_BLOCK_DELAYED if queue_name.endswith(".DQ") else LONGEST_BLOCK)
        )
        self._etas: list[int] = []  # of the delayed messages that this consumer's thread holds
        self._room = threading.Event()

    def ack(self, message: MessageProxy) -> None:
        if ACKNOWLEDGED in message.__dict__:
            self.queued_message_ids.discard(message.message_id)
        else:
            super().ack(message)
        self._tell_of_room()

    def nack(self, message: MessageProxy) -> None:
        super().nack(message)
        self._tell_of_room()

    def adopt(self, data: bytes) -> MessageProxy:
        """Take charge of a message that stands among those that this worker has fetched."""
        message = Message.decode(data)
        self.queued_message_ids.add(message.message_id)
        return MessageProxy(message)

    def close(self) -> None:
        super().close()
        self._connections.close()

    def __next__(self) -> MessageProxy | None:
        if not self.message_cache:
            self._refill()
        message = self._from_cache()
        if message is not None and "eta" in message.options:
            heapq.heappush(self._etas, message.options["eta"])
        return message

    def _from_cache(self) -> MessageProxy | None:
        if not self.message_cache:
            return None
        return cast(MessageProxy, super().__next__())

    def _refill(self) -> None:
        """Fetch what there is; if there is nothing, wait for it, and leave the fetching to the next call."""
        self._room.clear()
        room = self._room_for()
        if room <= 0:
            # Dramatiq promotes delayed messages between two calls: don't sleep past the next one.
            self._room.wait(self._patience() / 1000)
            return
        try:
            self.message_cache = self.broker.do_fetch(self.queue_name, room)
            if not self.message_cache:
                self._sleep()
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None

    def _room_for(self) -> int:
        """How many messages to fetch: none before there is room for many, unless a thread might be idle."""
        outstanding = self.outstanding_message_count
        room: int = self.prefetch - outstanding
        threads = self.broker.threads
        if threads is not None and outstanding >= threads and room < self.prefetch // 2:
            return 0
        return room

    def _tell_of_room(self) -> None:
        if not self._room.is_set() and self._room_for() > 0:
            self._room.set()

    def _sleep(self) -> None:
        patience = self._patience() / 1000
        try:
            self._connections.ask("BLPOP", self._wake, patience, timeout=patience + 5)
        except BatonError as error:
            raise ConnectionClosed(error) from None

    def _patience(self) -> int:
        """Milliseconds until this consumer must look again: at the latest when a delayed message is due."""
        now = current_millis()
        while self._etas and self._etas[0] <= now:
            heapq.heappop(self._etas)
        until_due = self._etas[0] - now if self._etas else self._longest
        return max(SHORTEST_BLOCK, min(self._longest, until_due))
