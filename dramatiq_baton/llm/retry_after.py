"""How long a provider asks to be left alone: ``retry-after`` (RFC 9110) and ``retry-after-ms``, of some providers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from ..durations import MAX_MESSAGE_DELAY


def named_delay(headers: Mapping[str, str], *, now: float) -> int | None:
    """How long a response's headers ask to wait, in milliseconds, at most 7 days: no message may wait longer.

    Parameters:
      headers: The headers; their names in lower case.
      now: The time, in seconds since 1970.

    Returns:
      ``None`` if they name no time that is still to come: none at all, zero, one in the past, or no time.
    """
    delay = _number(headers.get("retry-after-ms", ""))
    if delay is None and (text := headers.get("retry-after", "")):
        seconds = _number(text)
        if seconds is None:
            seconds = _seconds_until(text, now)
        delay = None if seconds is None else seconds * 1000
    if delay is None or not delay > 0:
        return None
    return max(1, round(min(delay, MAX_MESSAGE_DELAY)))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number >= 0 else None  # neither less nor "nan"


def _seconds_until(text: str, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
