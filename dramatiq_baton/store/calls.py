"""The values of calls that a step makes once per key."""

from __future__ import annotations

from .keys import SEPARATOR
from .store import Address, Store


def read(store: Store, address: Address, key: str) -> bytes | None:
    """Read the value of a call; ``None`` if none is stored.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    workflow = store.keys.workflow(address.workflow_id)
    found: bytes | None = store.connections.ask("HGET", f"{workflow}:once", f"{address.step}{SEPARATOR}{key}")
    return found


def keep(store: Store, address: Address, token: int, key: str, value: bytes) -> bytes | None:
    """Store the value of a call, if it is the first one. See ``lua/once.lua``.

    Returns:
      The value that was stored before; ``None`` if there was none.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    word, *first = store.run("once", address.workflow_id, address.step, token, key, value)
    return first[0] if word == b"first" else None
