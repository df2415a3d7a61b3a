"""Every accepted value comes back equal and of the very same types."""

from __future__ import annotations

import math
import threading
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Context, Decimal, localcontext
from zoneinfo import ZoneInfo

import msgpack
import pytest
from hypothesis import given, settings

from dramatiq_baton.codec import decode, encode
from dramatiq_baton.errors import ResultNotSerializable
from tests.codec.values import BERLIN, is_hashable, plain_values, same, there_and_back, values


@settings(max_examples=100, deadline=None)
@given(values)
def test_every_accepted_value_comes_back_equal_and_of_the_same_types(value):
    assert same(value, there_and_back(value))


@settings(max_examples=40, deadline=None)
@given(plain_values)
def test_plain_values_are_ordinary_msgpack(value):
    assert encode(value) == msgpack.packb(value)
    assert same(value, there_and_back(value))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ((1,), [1]),
        ({1}, frozenset({1})),
        ([{"a": (1,)}], [{"a": [1]}]),
        (Decimal("1.0"), Decimal("1.00")),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, fold=1)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))),
        ({1: 2, 3: 4}, {3: 4, 1: 2}),
        ({1: "a"}, {True: "a"}),
        ({(1, 2)}, {(1, 2.0)}),
    ],
)
def test_the_comparer_of_these_tests_sees_differences_that_equality_may_not(one, other):
    assert same(one, one)
    assert not same(one, other)


EXAMPLES = {
    "None": None,
    "True": True,
    "False": False,
    "zero": 0,
    "the largest 64 bit int": 2**64 - 1,
    "an int just beyond 64 bits": 2**64,
    "the least 64 bit int": -(2**63),
    "an int just below 64 bits": -(2**63) - 1,
    "an int of 100,000 bits": -(3**63093),
    "a float": 0.1,
    "negative zero": -0.0,
    "NaN": math.nan,
    "infinity": math.inf,
    "negative infinity": -math.inf,
    "the least float": 5e-324,
    "text": "Füße \U0001f600 \x00",
    "empty text": "",
    "a lone surrogate": "a\ud800b",
    "two lone surrogates that would make a pair": "\ud83d\ude00",
    "a lone surrogate in a key": {"\udcff": ["\udcff", "ok", (2**70, "\udcff")]},
    "bytes": b"\x00\xff",
    "empty bytes": b"",
    "a naive datetime": datetime(2026, 10, 25, 2, 30, 0, 123456),
    "a naive datetime with fold": datetime(2026, 10, 25, 2, 30, fold=1),
    "a datetime in UTC": datetime(2026, 1, 1, tzinfo=UTC),
    "a datetime with offset": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    "a datetime with an offset of microseconds": datetime(
        2026, 1, 1, tzinfo=timezone(timedelta(microseconds=-1))
    ),
    "a datetime with a named offset": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")),
    "a datetime with an offset named oddly": datetime(
        2026, 1, 1, tzinfo=timezone(timedelta(1) / 2, "\ud800=")
    ),
    "a datetime with an offset named with nothing": datetime(2026, 1, 1, tzinfo=timezone(timedelta(0), "")),
    "a datetime with a ZoneInfo": datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    "a datetime with a ZoneInfo and fold": datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    "the least datetime": datetime.min,
    "the largest datetime": datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    "a date": date(1, 1, 1),
    "a naive time": time(23, 59, 59, 999999),
    "a time in UTC": time(1, 2, 3, tzinfo=UTC),
    "a time with a ZoneInfo and fold": time(2, 30, tzinfo=BERLIN, fold=1),
    "the least timedelta": timedelta.min,
    "the largest timedelta": timedelta.max,
    "a Decimal": Decimal("1.50"),
    "a Decimal with exponent": Decimal("1E+3"),
    "a Decimal of huge exponent": Decimal("-9.99E+999999999999999999"),
    "a Decimal of tiny exponent": Decimal("1E-1999999999999999997"),
    "negative zero as Decimal": Decimal("-0.00"),
    "a Decimal NaN": Decimal("NaN"),
    "a signalling Decimal NaN": Decimal("-sNaN123"),
    "an infinite Decimal": Decimal("-Infinity"),
    "a Decimal of 10,000 digits": Decimal("7" * 10_000),
    "a UUID": uuid.UUID(int=7),
    "a set": {1, "a", (2, 3)},
    "an empty set": set(),
    "a frozenset": frozenset({frozenset(), frozenset({1})}),
    "a tuple": (1, [2, (3,)], {"k": (4,)}),
    "an empty tuple": (),
    "an empty list": [],
    "an empty dict": {},
    "a list of 70,000": [0] * 70_000,
    "int keys": {1: "a", -(2**70): "b"},
    "tuple keys": {(1, "a"): 1, (): 2, ((),): 3},
    "None as key": {None: 1},
    "bool keys": {True: 1, False: 2},
    "float keys": {1.5: 1, math.nan: 2, math.inf: 3},
    "bytes keys": {b"a": 1, "a": 2},
    "datetime keys": {datetime(2026, 1, 1): 1, date(2026, 1, 1): 2, datetime(2026, 1, 1, tzinfo=BERLIN): 3},
    "frozenset keys": {frozenset({1, (2,)}): 1},
    "UUID and Decimal keys": {uuid.UUID(int=1): 1, Decimal("0.1"): 2, timedelta(1): 3, time(1): 4},
    "all bytes that might be taken for a header": [bytes(range(256)), "\u0100\u0528", 0xC7007FFF],
}
HASHABLE_EXAMPLES = {name: value for name, value in EXAMPLES.items() if is_hashable(value)}


@pytest.mark.parametrize("value", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_comes_back_as_it_went_in(value):
    for wrapped in (value, [value], {"a": value}, (value,), [({"k": [value, value]},)]):
        assert same(wrapped, there_and_back(wrapped))


@pytest.mark.parametrize("value", HASHABLE_EXAMPLES.values(), ids=HASHABLE_EXAMPLES.keys())
def test_comes_back_as_it_went_in_as_a_key_or_member(value):
    for wrapped in ({value: 1}, {value}, frozenset({(value, 1)}), {(value,): {value: value}}):
        assert same(wrapped, there_and_back(wrapped))


def test_the_very_same_objects_come_back_for_utc_and_zoneinfo():
    back = there_and_back([datetime(2026, 1, 1, tzinfo=UTC), time(1, tzinfo=BERLIN)])
    assert back[0].tzinfo is UTC
    assert back[1].tzinfo is BERLIN


def test_decimals_come_back_whatever_the_decimal_context_is():
    with localcontext(Context(prec=2, capitals=0, traps=[])):
        data = encode(Decimal("1.2345E+99"))
        assert same(decode(data), Decimal("1.2345E+99"))
    assert same(decode(data), Decimal("1.2345E+99"))


def test_the_encoded_value_is_left_as_it_was():
    value = {"a": [(1, {2}), 2**70, "\ud800"]}
    encode(value)
    assert same(value, {"a": [(1, {2}), 2**70, "\ud800"]})


def test_one_object_in_many_places_is_no_cycle():
    leaf = (1, 2)
    row = [leaf] * 3
    value = {"a": row, "b": row, "c": (row, {leaf})}
    assert same(value, there_and_back(value))
    with pytest.raises(ResultNotSerializable, match=r"^\$\.d\[2\] is of type complex"):
        encode({**value, "d": [row, [row, [1j.real]], 1j]})


def test_threads_encode_at_the_same_time():
    value = {"a": [(index, {index}, 2**70 + index) for index in range(50)]}
    failures = []

    def work():
        for _ in range(50):
            if not same(value, there_and_back(value)):
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
