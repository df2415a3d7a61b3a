"""Times on the command line."""

from __future__ import annotations

import time

import click
import pytest

from dramatiq_baton.cli.since import Ago, Since


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("10m", 600), ("2h", 7_200), ("3d", 259_200), ("1 w", 604_800)],
)
def test_a_time_ago_is_a_moment_in_milliseconds(text: str, seconds: int) -> None:
    before = int(time.time() * 1000)
    for told in (Ago().convert(text, None, None), int(Since().convert(text, None, None))):
        assert before <= told + seconds * 1000 <= int(time.time() * 1000)


def test_longer_ago_than_1970_is_1970() -> None:
    assert Ago().convert("99999999999d", None, None) == 0
    assert Since().convert("99999999999d", None, None) == "0"


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-1m", "1.5h", "١m", "9" * 5000 + "d", "1y"])
def test_anything_else_is_refused_in_a_few_words(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time ago such as 10m, 2h, 3d or 1w") as refused:
        Ago().convert(text, None, None)
    assert len(str(refused.value)) < 150


def test_since_also_takes_the_place_of_an_event() -> None:
    assert [Since().convert(text, None, None) for text in ("0", "5-1")] == ["0", "5-1"]
    with pytest.raises(click.BadParameter, match="nor an event's id, nor 0"):
        Since().convert("yesterday", None, None)
