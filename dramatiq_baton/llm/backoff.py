"""How long to wait. All times are in milliseconds; none is the same for two steps that wait for the same thing."""

from __future__ import annotations

import random

from ..durations import MAX_MESSAGE_DELAY

#: The shortest delay of a retry: the attempt before it has come to its end by then.
LEAST = 10
#: Doubling more often than this makes no difference to any delay that a message can have.
MOST_DOUBLINGS = 40


def full_jitter(times: int, least: int, most: int) -> int:
    """A delay before the retry that follows ``times`` others: anything up to a bound that doubles each time.

    "Full jitter" of the AWS Architecture Blog's article *Exponential Backoff And Jitter*: of the ways compared
    there, it spreads clients that failed together best.
    """
    bound = _bound(times, least, most)
    return max(min(LEAST, bound), round(random.uniform(0, bound)))


def growing(times: int, least: int, most: int) -> int:
    """A delay after a refusal that names none and follows ``times`` others in a row.

    Its bound doubles each time, and at least half of it is kept: a provider that is over its limit is to be
    left alone ("equal jitter" of the same article).
    """
    bound = _bound(times, least, most)
    return max(1, round(random.uniform(bound / 2, bound)))


def after(named: int) -> int:
    """A delay after a refusal that names one: never earlier, up to a quarter later, at most 7 days."""
    return min(MAX_MESSAGE_DELAY, named + round(random.uniform(0, named / 4)))


def _bound(times: int, least: int, most: int) -> int:
    return min(most, least << min(times, MOST_DOUBLINGS), MAX_MESSAGE_DELAY)
