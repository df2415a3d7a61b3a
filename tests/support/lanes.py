"""A lane as it is stored: tests look at it, and move its clock."""

from __future__ import annotations

from typing import Any

import msgpack
import redis

from .world import World

#: In the order in which they are stored, see lua/shared/pacing.lua.
FIELDS = ("rate", "next", "line", "since", "calls", "before", "under_way", "less", "least")
TIMES = ("next", "line", "since", "under_way")


class Lane:
    """What is known of a provider's limit in a world."""

    def __init__(self, world: World, name: str) -> None:
        self._redis, self._url = world.redis, world.url
        self.key = f"{world.namespace}:index:lane:{name}"

    @property
    def exists(self) -> bool:
        return bool(self._redis.exists(self.key))

    @property
    def ttl(self) -> int:
        """In milliseconds."""
        return int(self._redis.pttl(self.key))

    @property
    def state(self) -> dict[str, Any]:
        with redis.Redis.from_url(self._url) as client:
            return dict(zip(FIELDS, msgpack.unpackb(client.get(self.key)), strict=True))

    @property
    def rate(self) -> float:
        return float(self.state["rate"])

    def now(self) -> float:
        """What the server's clock says, in milliseconds."""
        seconds, microseconds = self._redis.time()
        return float(seconds) * 1000 + float(microseconds) / 1000

    def set(self, **values: float) -> None:
        """Change some of it; what isn't there yet begins as an idle lane of one call a second."""
        now = self.now()
        idle = {"rate": 1, "next": now, "line": now, "since": now, "under_way": now, "less": 0, "least": 0.1}
        state = {**dict.fromkeys(FIELDS, 0), **idle, **(self.state if self.exists else {}), **values}
        self._redis.set(self.key, msgpack.packb([state[field] for field in FIELDS]), px=60_000)

    def pass_time(self, milliseconds: float) -> None:
        """Have so much time pass for the lane."""
        state = self.state
        self.set(**{field: state[field] - milliseconds for field in TIMES})
