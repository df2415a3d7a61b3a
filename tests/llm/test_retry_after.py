"""How long a provider asks to be left alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatiq_baton.durations import MAX_MESSAGE_DELAY
from dramatiq_baton.llm.retry_after import named_delay

NOW = 1_800_000_000.0


def delay(text: str) -> int | None:
    return named_delay({"retry-after": text}, now=NOW)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1", 1_000),
        ("0.25", 250),
        ("1.5", 1_500),
        ("0.0001", 1),
        ("600", 600_000),
        (formatdate(NOW + 30, usegmt=True), 30_000),
        (formatdate(NOW + 30, localtime=True), 30_000),
        (formatdate(NOW + 30), 30_000),  # -0000: in UTC, says RFC 5322
        ("1e99", MAX_MESSAGE_DELAY),
        ("1e999", MAX_MESSAGE_DELAY),
        (str(10**400), MAX_MESSAGE_DELAY),
        (formatdate(NOW + 400 * 24 * 3600, usegmt=True), MAX_MESSAGE_DELAY),
    ],
)
def test_a_time_is_read_and_no_longer_than_a_message_may_wait(text: str, milliseconds: int) -> None:
    assert delay(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "-0.0",
        "nan",
        "-inf",
        "soon",
        "1 minute",
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "Fri, 31 Dec 99999 00:00:00 GMT",
        formatdate(NOW, usegmt=True),
        formatdate(NOW - 30, usegmt=True),
    ],
)
def test_what_names_no_time_to_come_names_none(text: str) -> None:
    assert delay(text) is None


def test_no_header_names_none() -> None:
    assert named_delay({"x-retry": "1"}, now=NOW) is None


def test_milliseconds_go_before_seconds() -> None:
    assert named_delay({"retry-after": "1", "retry-after-ms": "250"}, now=NOW) == 250
    assert named_delay({"retry-after": "1", "retry-after-ms": "soon"}, now=NOW) == 1000


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        found = named_delay({name: text}, now=NOW)
        assert found is None or 1 <= found <= MAX_MESSAGE_DELAY


@given(st.integers(1, 7 * 24 * 3600), st.integers(-14 * 60, 14 * 60))
def test_a_date_is_read_in_every_timezone(seconds: int, offset: int) -> None:
    date = datetime.fromtimestamp(NOW + seconds, timezone(timedelta(minutes=offset)))
    assert delay(format_datetime(date)) == seconds * 1000
