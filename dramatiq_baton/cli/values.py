"""Results as text: any value that a step can return, as JSON has it or as near to that as can be."""

from __future__ import annotations

import json
import math
from typing import Any


def for_json(value: Any) -> Any:
    """*value* as JSON can carry it; what JSON has no word for (bytes, times, sets, NaN) becomes text."""
    # Written without comprehensions, each of which would be one more frame a level: values nest 400 deep.
    match value:
        case None | bool() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case int():
            return value if value.bit_length() <= _READABLE_BITS else hex(value)
        case list() | tuple():
            items = []
            for item in value:
                items.append(for_json(item))
            return items
        case dict():
            pairs = {}
            for key, item in value.items():
                pairs[key if isinstance(key, str) else _text(key)] = for_json(item)
            return pairs
        case _:
            return _text(value)


def on_one_line(value: Any) -> str:
    """*value* for people to read, without a line break."""
    return json.dumps(for_json(value), ensure_ascii=False)


# Python refuses to write numbers of more than 4,300 digits in decimal.
_READABLE_BITS = 4_300 * 3


def _text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # a number in it is too long
        return f"a {type(value).__name__} of numbers too long to be written"
