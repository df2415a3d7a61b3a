"""A clock that can be put forward."""

from __future__ import annotations

from dramatiq.common import current_millis


class Clock:
    """Tells the time, and the time that was skipped with it.

    Attributes:
      skipped: Milliseconds that it was put forward by, in all.
    """

    def __init__(self) -> None:
        self.skipped = 0

    def now(self) -> int:
        """Milliseconds since 1970."""
        return current_millis() + self.skipped

    def put_forward(self, until: int) -> None:
        """Skip the time until then."""
        self.skipped += max(0, until - self.now())
