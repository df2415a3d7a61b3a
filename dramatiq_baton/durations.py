"""Durations as users give them: milliseconds as ``int``, or a ``timedelta``."""

from __future__ import annotations

from datetime import timedelta

from .errors import ConfigurationError

Duration = int | timedelta

#: The longest delay that Dramatiq lets a message wait, in milliseconds.
MAX_MESSAGE_DELAY = 7 * 24 * 3600 * 1000
#: The longest delay of a step or a workflow, in milliseconds: a hundred years.
MAX_DELAY = 100 * 365 * 24 * 3600 * 1000


def to_ms(value: Duration, *, name: str, least: int = 0, most: int | None = None) -> int:
    """Convert ``value`` to milliseconds.

    Parameters:
      value: Milliseconds, or a ``timedelta``.
      name: What the value is for, as the error should call it.
      least: The smallest number of milliseconds that makes sense.
      most: The largest one, if there is one.

    Raises:
      ConfigurationError: If ``value`` is of another type, smaller than ``least`` or larger than ``most``.
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
    if most is not None and milliseconds > most:
        raise ConfigurationError(f"{name} must be at most {most} ms, not {milliseconds}")
    return milliseconds
