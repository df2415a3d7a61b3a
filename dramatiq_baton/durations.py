"""Durations as users give them: milliseconds as ``int``, or a ``timedelta``."""

from __future__ import annotations

from datetime import timedelta

from .errors import ConfigurationError

Duration = int | timedelta

#: The longest delay that Dramatiq lets a message wait, in milliseconds.
MAX_MESSAGE_DELAY = 7 * 24 * 3600 * 1000


def to_ms(value: Duration, *, name: str, least: int = 0) -> int:
    """Convert ``value`` to milliseconds.

    Parameters:
      value: Milliseconds, or a ``timedelta``.
      name: What the value is for, as the error should call it.
      least: The smallest number of milliseconds that makes sense.

    Raises:
      ConfigurationError: If ``value`` is of another type or smaller than ``least``.
    """
    if isinstance(value, timedelta):
        milliseconds = round(value.total_seconds() * 1000)
    elif isinstance(value, int) and not isinstance(value, bool):
        milliseconds = value
    else:
        raise ConfigurationError(
            f"{name} must be milliseconds as an int, or a timedelta, not {type(value).__name__} {value!r}"
        )
    if milliseconds < least:
        raise ConfigurationError(f"{name} must be at least {least} ms, not {milliseconds}")
    return milliseconds
