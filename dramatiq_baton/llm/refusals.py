"""What an exception of a call to a provider means: a refusal for now, one for good, or a failure like any other.

Deciding only, from the exception alone. ``patience`` says what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from .responses import chain, response_of
from .retry_after import named_delay
from .words import words_of

#: Too many requests, and service unavailable: the request itself is in order.
NOT_NOW = frozenset({429, 503})
#: The request is wrong, or its sender may not make it: the same one will be refused again.
NEVER = frozenset({400, 401, 403, 404, 422})


@dataclass(frozen=True, slots=True)
class NotNow:
    """The provider refuses for now; ``named`` is how long it asks to wait, in milliseconds, if it says."""

    words: str
    named: int | None


@dataclass(frozen=True, slots=True)
class Never:
    """The provider refuses for good."""

    words: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The call failed, and may be made again."""


Meaning = NotNow | Never | Failure


def meaning_of(error: BaseException, *, now: float) -> Meaning:
    """What an exception means. One that tells of no response is judged by those that led to it.

    Parameters:
      error: The exception.
      now: The time, in seconds since 1970.
    """
    for one in chain(error):
        response = response_of(one)
        named = named_delay(response.headers, now=now)
        if response.status is None and named is None:
            continue
        said = words_of(one)
        words = said if response.status is None else f"status {response.status}: {said}"
        if response.status in NOT_NOW or named is not None:
            return NotNow(words, named)
        return Never(words) if response.status in NEVER else Failure()
    return Failure()
