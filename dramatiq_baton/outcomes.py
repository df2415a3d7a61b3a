"""What an actor may answer besides a value: :class:`Snooze`, :class:`Discard`, :class:`Cancel`.

Each may be returned or raised. Raising keeps the actor's return type clean for type checkers;
returning reads well where nothing has gone wrong.
"""

from __future__ import annotations

from .durations import MAX_MESSAGE_DELAY, Duration, to_ms
from .errors import ConfigurationError


class StepOutcome(Exception):
    """Base class of the answers below."""


class Snooze(StepOutcome):
    """Run this step again after ``delay``. No retry is consumed.

    Parameters:
      delay: Milliseconds or a ``timedelta``, from 0 to 7 days.
      reason: Why, for whoever watches.

    Raises:
      ConfigurationError: If ``delay`` is negative, too long or not a duration.
    """

    def __init__(self, delay: Duration, reason: str = "") -> None:
        super().__init__(delay, reason)
        self.delay = to_ms(delay, name="Snooze's delay")
        self.reason = str(reason)
        if self.delay > MAX_MESSAGE_DELAY:
            raise ConfigurationError(f"Snooze's delay must be at most 7 days, not {self.delay} ms")


class Discard(StepOutcome):
    """Give this step up at once: it becomes ``discarded``, whatever retries are left."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = str(reason)


class Cancel(StepOutcome):
    """Stop here without failing: the step becomes ``cancelled``, and so do the steps that need it."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = str(reason)
