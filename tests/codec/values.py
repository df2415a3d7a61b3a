"""Values of all supported types, and a comparer that misses no difference."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from dramatiq_baton.codec import decode, encode

BERLIN = ZoneInfo("Europe/Berlin")


def same_zone(left: tzinfo | None, right: tzinfo | None) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, ZoneInfo) and isinstance(right, ZoneInfo):
        return left.key == right.key
    return left == right and (left is None or left.tzname(None) == right.tzname(None))


def same_members(left: list, right: list) -> bool:
    """Equal as sets. Hashes of NaNs differ, so each member is looked for."""
    rest = list(right)
    for item in left:
        match = next((index for index, other in enumerate(rest) if same(item, other)), None)
        if match is None:
            return False
        del rest[match]
    return not rest


def same(left: object, right: object) -> bool:
    """Equal and of the same type at every level; NaN equals NaN, 0.0 isn't -0.0, 1.0 isn't 1.00."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    if isinstance(left, (datetime, time)):
        return (
            left.replace(tzinfo=None) == right.replace(tzinfo=None)
            and left.fold == right.fold
            and same_zone(left.tzinfo, right.tzinfo)
        )
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (set, frozenset)):
        return same_members(list(left), list(right))
    if isinstance(left, dict):  # the order too
        return same(list(left.items()), list(right.items()))
    return left == right


def there_and_back(value: object) -> object:
    return decode(encode(value))


offsets = st.timedeltas(timedelta(hours=-24, microseconds=1), timedelta(hours=24, microseconds=-1))
zones = (
    st.none()
    | st.just(UTC)
    | st.builds(timezone, offsets)
    | st.builds(timezone, offsets, st.text(st.characters(), max_size=5))
    | st.sampled_from(["Europe/Berlin", "America/New_York", "UTC", "Asia/Kathmandu"]).map(ZoneInfo)
)
folds = st.integers(0, 1)
any_text = st.text(st.characters(exclude_categories=())) | st.text()
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=True)
    | any_text
    | st.binary(max_size=40)
    | st.builds(datetime.replace, st.datetimes(), tzinfo=zones, fold=folds)
    | st.builds(time.replace, st.times(), tzinfo=zones, fold=folds)
    | st.dates()
    | st.timedeltas()
    | st.decimals(allow_nan=True)
    | st.uuids()
)


def is_hashable(value: object) -> bool:
    try:
        hash(value)
    except (TypeError, ValueError):  # sNaN
        return False
    return True


hashables = st.recursive(
    scalars.filter(is_hashable),
    lambda inner: st.frozensets(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
values = st.recursive(
    scalars | hashables | st.sets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.dictionaries(any_text, inner, max_size=4)
    ),
    max_leaves=20,
)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
