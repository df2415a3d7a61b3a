"""What an actor's answer means for its step. Deciding only; ``recording`` carries it out.

The contract's table *What an actor may answer* is matched here, once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from .outcomes import Cancel, Discard, Snooze

#: Longest text of a reason or error that is stored.
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Complete:
    """The step is done, with this result."""

    value: Any


@dataclass(frozen=True, slots=True)
class RunLater:
    """The step runs again after ``delay`` ms, without a retry.

    Only of LLM actors: ``refusals`` is how often in a row a provider has refused it by then, and ``refused`` for how
    long the provider asks to be left alone, in ms; 0 if it doesn't say, ``None`` if it didn't refuse.
    """

    delay: int
    reason: str
    refusals: int = 0
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class HandBack:
    """The step goes back to its queue at once, without a retry."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The step is discarded now."""

    reason: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class CallOff:
    """The step is cancelled now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The attempt failed; whether there is another one is for Dramatiq's ``Retries`` to say."""

    error: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """The step was cancelled meanwhile: there is nothing to record."""


Action = Complete | RunLater | HandBack | GiveUp | CallOff | Fail | Abandon


def decide_returned(value: Any) -> Action:
    """What a returned value means."""
    match value:
        case Snooze(delay=delay, reason=reason):
            return RunLater(delay, short(reason))
        case Discard(reason=reason):
            return GiveUp(short(reason))
        case Cancel(reason=reason):
            return CallOff(short(reason))
        case _:
            return Complete(value)


def decide_raised(
    error: BaseException,
    *,
    busy: type[BaseException],
    stopping: type[BaseException],
    cancelled: type[BaseException],
    snooze_delay: int,
) -> Action:
    """What a raised exception means.

    Parameters:
      error: The exception.
      busy: The type by which an actor says that a rate limit is used up.
      stopping: The type by which it is interrupted when its worker shuts down.
      cancelled: The type by which it is interrupted when its workflow is cancelled.
      snooze_delay: How long to snooze on a rate limit, in milliseconds; jittered by half.
    """
    match error:
        case Snooze() | Discard() | Cancel():
            return decide_returned(error)
        case _ if isinstance(error, busy):
            return RunLater(jittered(snooze_delay), short(f"rate limit exceeded: {error}"))
        case _ if isinstance(error, stopping) or isinstance(error.__cause__, stopping):
            return HandBack("its worker was shut down")
        case _ if isinstance(error, cancelled) or isinstance(error.__cause__, cancelled):
            return Abandon()
        case _:
            return Fail(describe(error))


def jittered(delay: int) -> int:
    """``delay`` give or take half of it, so that waiting steps don't all come back at once."""
    return int(delay * random.uniform(0.5, 1.5))


def describe(error: BaseException) -> str:
    """An exception as ``Type: message``, on one line."""
    text = " ".join(str(error).split())
    return short(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def short(text: str) -> str:
    """Text that may be stored as a reason: whole characters, at most 500 of them."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"
