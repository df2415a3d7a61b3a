"""Results as JSON and as text, whatever a step returned."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dramatiq_baton.cli.values import for_json, on_one_line
from dramatiq_baton.codec import MAX_DEPTH, decode, encode


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        ([1, 2.5, True, "ü"], [1, 2.5, True, "ü"]),
        ((1, {2: 3}), [1, {"2": 3}]),
        ({(1, 2): None}, {"(1, 2)": None}),
        (b"\x00", "b'\\x00'"),
        ({7}, "{7}"),
        (Decimal("1.10"), "1.10"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        ("\ud800", "\ud800"),
    ],
)
def test_what_json_has_no_word_for_becomes_text(value: Any, told: Any) -> None:
    assert json.loads(json.dumps(for_json(decode(encode(value))), allow_nan=False)) == told


def test_numbers_too_long_for_python_to_write_do_no_harm() -> None:
    assert for_json(10**5000).startswith("0x")
    assert "too long" in for_json({10**5000})


def test_values_as_deep_as_they_may_be_can_be_told() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert on_one_line(value).startswith("[[[")


def test_text_is_one_line_and_keeps_its_letters() -> None:
    assert on_one_line({"a": "é\nb"}) == '{"a": "é\\nb"}'
