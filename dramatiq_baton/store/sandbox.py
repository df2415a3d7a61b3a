"""A namespace in which somebody runs workflows for a test: there, nothing waits for the time to pass, and all of it is
deleted in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .keys import SEPARATOR
from .replies import text
from .store import Address, Store

#: A ``lease_ttl`` that is longer than any delay, in milliseconds. No lease runs out, and in the index of what waits a
#: message that was sent is overdue in 300 years: what is due before then is a delay of a step.
FOR_EVER = 10**13
#: Keys that are looked through in one command.
PORTION = 1000


@dataclass(frozen=True, slots=True)
class Delay:
    """Something that isn't to be done yet.

    Attributes:
      due: When it is to be done, in milliseconds since 1970.
      address: The step that is to start; without a name, whatever is to be done in the whole workflow.
    """

    due: int
    address: Address


def delays(store: Store) -> list[Delay]:
    """Look what waits for its time, of a store whose ``lease_ttl`` is :data:`FOR_EVER`."""
    found = []
    for index in ("waiting", "spreading"):
        members = store.connections.ask(
            "ZRANGEBYSCORE", f"{store.keys.index}:{index}", "-inf", f"({FOR_EVER}", "WITHSCORES"
        )
        for member, due in zip(members[::2], members[1::2], strict=True):
            workflow_id, _, step = text(member).partition(SEPARATOR)
            found.append(Delay(int(float(due)), Address(workflow_id, step)))
    return found


def forget_paces(store: Store) -> None:
    """Forget when which provider may be called again: that time has passed."""
    _delete(store, f"{store.keys.index}:lane:*")


def erase(store: Store) -> None:
    """Delete every key of the namespace."""
    _delete(store, f"{store.keys.namespace}:*")


def _delete(store: Store, pattern: str) -> None:
    for keys in _scan(store, pattern):
        if keys:
            store.connections.ask("UNLINK", *keys)


def _scan(store: Store, pattern: str) -> Iterator[list[bytes]]:
    cursor = b"0"
    while True:
        cursor, keys = store.connections.ask("SCAN", cursor, "MATCH", pattern, "COUNT", PORTION)
        yield keys
        if cursor == b"0":
            return
