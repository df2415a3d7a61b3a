"""Reading event streams: what there is, and what comes, with blocking reads instead of polling."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..errors import ConfigurationError
from ..events import Event
from .replies import text
from .store import Store
from .talks import Ask, Await, Talk, Tell, Telling, listen

#: Events that are read in one command.
PORTION = 500
#: How long one blocking read lasts at the most, in seconds. It is no polling interval: an event ends it at
#: once. It bounds how long a dead connection goes unnoticed.
LONGEST_BLOCK = 10.0
#: Ids are "<milliseconds>-<number>"; this is the largest number.
LAST_SEQUENCE = 2**64 - 1

_ID = re.compile(r"\d+(-\d+)?")


class EventReader:
    """Reads the events of one workflow, or of all.

    Parameters:
      store: The store.
      workflow_id: Which workflow's; ``None`` for all.
    """

    def __init__(self, store: Store, workflow_id: str | None = None) -> None:
        self._store = store
        keys = store.keys
        self._key = keys.all_events if workflow_id is None else keys.events(workflow_id)

    def last_id(self) -> str:
        """The id of the newest event, ``"0"`` if there is none."""
        return self._store.connections.hold(_last_id(self._key))

    def read(self, since: str | datetime = "0") -> Iterator[Event]:
        """Iterate over the events behind ``since`` that there are.

        Parameters:
          since: See :func:`position`.

        Raises:
          ConfigurationError: If ``since`` is none of what it may be.
          CorruptData: If the stream holds something else.
          StoreUnavailable: If Redis doesn't answer.
        """
        return listen(self.reading(since), self._store.connections.answer)

    def reading(self, since: str | datetime) -> Telling[Event, Event | None]:
        """Tell the events that :meth:`read` gives; returns the last one."""
        seen, event = position(since), None
        while reply := (yield Ask("XREAD", "COUNT", PORTION, "STREAMS", self._key, seen)):
            for entry in reply[0][1]:
                event = _event(entry)
                seen = event.id
                yield Tell(event)
        return event

    def wait(self, since: str, *, seconds: float = LONGEST_BLOCK) -> bool:
        """Block until there is an event behind ``since``, but not for longer than ``seconds``.

        Returns:
          Whether there is one.
        """
        return self._store.connections.hold(self.waiting(since, seconds=seconds))

    def waiting(self, since: str, *, seconds: float = LONGEST_BLOCK) -> Talk[bool]:
        """Wait as :meth:`wait` does."""
        return (yield Await(self._key, since, seconds)) is not None

    def follow(self, since: str | datetime = "0") -> Iterator[Event]:
        """Iterate over the events behind ``since`` as they come, for ever. Raises as :meth:`read` does."""
        seen = position(since)
        while True:
            for event in self.read(seen):
                seen = event.id
                yield event
            self.wait(seen)


class EndSignal:
    """Tells when a workflow finishes, without reading its events. Made by :meth:`from_now_on`.

    Parameters:
      key: The stream of the workflow's ends.
      position: The newest entry that doesn't count.
    """

    def __init__(self, key: str, position: str) -> None:
        self._key = key
        self._position = position

    @classmethod
    def from_now_on(cls, store: Store, workflow_id: str) -> Talk[EndSignal]:
        """A signal for which only what happens from now on counts."""
        key = store.keys.ends(workflow_id)
        return cls(key, (yield from _last_id(key)))

    def waiting(self, deadline: float | None) -> Talk[None]:
        """Wait until the workflow finishes, but no longer than :data:`LONGEST_BLOCK`: it may be gone.

        Parameters:
          deadline: When to give up at the latest, on ``time.monotonic()``'s clock.
        """
        left = LONGEST_BLOCK if deadline is None else deadline - time.monotonic()
        found = yield Await(self._key, self._position, min(left, LONGEST_BLOCK))
        self._position = found or self._position


def _last_id(key: str) -> Talk[str]:
    entries = yield Ask("XREVRANGE", key, "+", "-", "COUNT", 1)
    return text(entries[0][0]) if entries else "0"


def position(since: str | datetime) -> str:
    """The id behind which to read.

    Parameters:
      since: An event's id, ``"0"`` for all events, or the time of the first one that is wanted.

    Raises:
      ConfigurationError: If it is neither.
    """
    if isinstance(since, datetime):
        return f"{max(0, int(since.timestamp() * 1000) - 1)}-{LAST_SEQUENCE}"
    if not isinstance(since, str) or not _ID.fullmatch(since):
        raise ConfigurationError(
            f'since must be a datetime, an event\'s id such as "1718000000000-0", or "0", not {since!r}'
        )
    return since


def _event(entry: Any) -> Event:
    entry_id, flat = entry
    fields = {text(name): text(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Event.from_fields(text(entry_id), fields)
