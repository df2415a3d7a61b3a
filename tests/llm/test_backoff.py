"""How long a step waits: bounds, and that it is not the same for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatiq_baton.durations import MAX_MESSAGE_DELAY
from dramatiq_baton.llm import backoff

DELAYS = st.integers(1, MAX_MESSAGE_DELAY)


@given(st.integers(0, 10_000), DELAYS, DELAYS)
def test_full_jitter_is_anything_up_to_the_bound(times: int, least: int, most: int) -> None:
    bound = min(most, least * 2**times)
    assert 1 <= backoff.full_jitter(times, least, most) <= bound
    assert backoff.full_jitter(times, least, most) >= min(10, bound)


@given(st.integers(0, 10_000), DELAYS, DELAYS)
def test_a_growing_delay_keeps_half_of_the_bound(times: int, least: int, most: int) -> None:
    bound = min(most, least * 2**times)
    assert bound / 2 - 1 <= backoff.growing(times, least, most) <= bound


@given(DELAYS)
def test_a_named_delay_is_kept_and_at_most_a_quarter_longer(named: int) -> None:
    assert named <= backoff.after(named) <= min(MAX_MESSAGE_DELAY, named * 1.25 + 1)


@pytest.mark.parametrize(
    ("delay", "least", "most"),
    [
        (lambda: backoff.full_jitter(3, 1_000, 60_000), 0, 8_000),
        (lambda: backoff.full_jitter(30, 1_000, 60_000), 0, 60_000),
        (lambda: backoff.growing(3, 1_000, 60_000), 4_000, 8_000),
        (lambda: backoff.after(8_000), 8_000, 10_000),
    ],
)
def test_delays_are_spread_over_all_that_is_allowed(delay: Callable[[], int], least: int, most: int) -> None:
    delays = [delay() for _ in range(300)]
    tenth = (most - least) / 10
    assert min(delays) < least + tenth  # by chance they all miss it once in 10**13 times
    assert max(delays) > most - tenth
