"""Bytes that aren't from the codec: they are corrupt, cheaply, whatever they are."""

from __future__ import annotations

import struct
import time as clock
import tracemalloc
from datetime import datetime

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dramatiq_baton.codec import MAX_DEPTH, decode, encode
from dramatiq_baton.errors import CorruptData
from tests.codec.values import BERLIN, values


def decodes_or_is_corrupt(data: bytes) -> None:
    try:
        value = decode(data)
    except CorruptData:
        return
    encode(value)  # and nothing comes out that isn't a supported value


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_decode_or_are_corrupt(data):
    decodes_or_is_corrupt(data)


markup = st.sampled_from(
    [
        b"\xc7\x00\x01",
        b"\xc7\x00\x02",
        b"\xc7\x00\x03",
        b"\xc7\x00\x00",
        b"\xd6\xff\0\0\0\1",
        b"\x91",
        b"\x92",
        b"\x81",
        b"\x82",
        b"\xc0",
        b"\x01",
        b"\xa1a",
        b"\xc7\x01\x01a",
        b"\xdd\xff\xff\xff\xff",
        b"\x94",
        b"\x93",
    ]
    + [bytes([0xC7, size, code]) for size in (0, 1, 3, 4, 8, 12, 16) for code in range(12)]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(markup | st.binary(max_size=3), max_size=40).map(b"".join))
def test_random_pieces_of_the_format_decode_or_are_corrupt(data):
    decodes_or_is_corrupt(data)


@settings(max_examples=100, deadline=None)
@given(values, st.data())
def test_changed_encodings_decode_or_are_corrupt(value, draw):
    data = bytearray(encode(value))
    for _ in range(draw.draw(st.integers(1, 4))):
        index = draw.draw(st.integers(0, len(data)))
        what = draw.draw(st.sampled_from(["set", "cut", "insert", "delete"]))
        if what == "set" and index < len(data):
            data[index] = draw.draw(st.integers(0, 255))
        elif what == "cut":
            del data[index:]
        elif what == "insert":
            data[index:index] = draw.draw(st.binary(max_size=4))
        else:
            del data[index : index + 1]
    decodes_or_is_corrupt(bytes(data))


@settings(max_examples=50, deadline=None)
@given(values, st.binary(min_size=1, max_size=3))
def test_an_encoding_with_a_tail_or_without_its_end_is_corrupt(value, tail):
    data = encode(value)
    for wrong in (data + tail, data[:-1]):
        with pytest.raises(CorruptData):
            decode(wrong)


def extension(code: int, data: bytes) -> bytes:
    return msgpack.packb(msgpack.ExtType(code, data))


def packed_datetime(**changes) -> bytes:
    fields = {"year": 2026, "month": 1, "day": 1, "hour": 0, "fold": 0, "zone": b""} | changes
    head = struct.pack(
        ">HBBBBBIB", *(fields[k] for k in ("year", "month", "day", "hour")), 0, 0, 0, fields["fold"]
    )
    return extension(7, head + fields["zone"])


def test_the_layout_of_a_datetime_is_as_the_tests_of_corrupt_ones_take_it():
    assert decode(packed_datetime()) == datetime(2026, 1, 1)
    assert decode(packed_datetime(zone=b"zEurope/Berlin")).tzinfo is BERLIN


CORRUPT = {
    "nothing": b"",
    "msgpack's unused byte": b"\xc1",
    "an unknown extension": extension(99, b"a"),
    "extension 0": extension(0, b""),
    "msgpack's own timestamp": msgpack.packb(msgpack.Timestamp(1)),
    "msgpack's own timestamp of 12 bytes, within": msgpack.packb([1, msgpack.Timestamp(2**40)]),
    "msgpack's own timestamp as a key": msgpack.packb({msgpack.Timestamp(1, 1): 1}),
    "a negative extension": b"\xd4\xfe\x00",
    "a mark by itself": extension(1, b""),
    "a mark as a value": b"\x81\xa1a" + extension(1, b""),
    "a mark as a key": b"\x81" + extension(2, b"") + b"\xc0",
    "a mark in second place": b"\x92\xc0" + extension(1, b""),
    "two marks": b"\x92" + extension(1, b"") + extension(1, b""),
    "a mark in a set": b"\x92" + extension(2, b"") + extension(1, b""),
    "a mark with a payload": b"\x91" + extension(1, b"a"),
    "a mark with a payload beside one without": b"\x92\x91"
    + extension(1, b"a")
    + b"\x91"
    + extension(1, b""),
    "a list in a set": b"\x92" + extension(2, b"") + b"\x91\xc0",
    "a list as a key": b"\x81\x91\xc0\xc0",
    "a map as a key": b"\x81\x80\xc0",
    "invalid UTF-8": b"\xa1\xff",
    "a text that isn't a Decimal": extension(5, b"a"),
    "a Decimal with spaces": extension(5, b" 1"),
    "a Decimal with underscores": extension(5, b"1_0"),
    "a Decimal that isn't text": extension(5, b"\xff"),
    "a UUID of 15 bytes": extension(6, b"a" * 15),
    "a short datetime": extension(7, b"a" * 11),
    "month 13": packed_datetime(month=13),
    "hour 24": packed_datetime(hour=24),
    "fold 2": packed_datetime(fold=2),
    "year 0": packed_datetime(year=0),
    "an unknown form of zone": packed_datetime(zone=b"x"),
    "an unknown zone": packed_datetime(zone=b"zNowhere/Land"),
    "a zone that is a folder": packed_datetime(zone=b"zEurope"),
    "a zone outside of the zones": packed_datetime(zone=b"z../../../etc/passwd"),
    "a zone that is an absolute path": packed_datetime(zone=b"z/etc/passwd"),
    "a zone with NUL": packed_datetime(zone=b"z\x00"),
    "a zone without a key": packed_datetime(zone=b"z"),
    "a zone that isn't text": packed_datetime(zone=b"z\xff"),
    "an offset that is cut": packed_datetime(zone=b"o\x00"),
    "an offset of a day": packed_datetime(zone=b"o" + struct.pack(">q", 86_400_000_000)),
    "the largest offset": packed_datetime(zone=b"o" + b"\x7f" + b"\xff" * 7),
    "an offset with a tail": packed_datetime(zone=b"o" + bytes(8) + b"a"),
    "a date of 5 bytes": extension(8, bytes(5)),
    "a time of 3 bytes": extension(9, bytes(3)),
    "a timedelta of 3 bytes": extension(10, bytes(3)),
    "a timedelta that is too long": extension(10, b"\x7f" + b"\xff" * 11),
    "lists 401 deep": b"\x91" * MAX_DEPTH + b"\x90",
    "lists 1,000 deep": b"\x91" * 1_000 + b"\xc0",
    "lists 100,000 deep": b"\x91" * 100_000 + b"\xc0",
    "maps 100,000 deep": b"\x81\xa1a" * 100_000 + b"\xc0",
    "tuples 1,000 deep": (b"\x92" + extension(1, b"")) * 1_000 + b"\xc0",
    "tuples 100,000 deep": (b"\x92" + extension(1, b"")) * 100_000 + b"\xc0",
    "text": b"hello",
}


@pytest.mark.parametrize("data", CORRUPT.values(), ids=CORRUPT.keys())
def test_is_corrupt(data):
    with pytest.raises(CorruptData, match=r"a stored value can't be read: .+"):
        decode(data)


@pytest.mark.parametrize("wrong", [None, "text", 7, []], ids=repr)
def test_what_is_not_bytes_is_corrupt(wrong):
    with pytest.raises(CorruptData):
        decode(wrong)


def test_an_unknown_zone_is_named():
    with pytest.raises(CorruptData, match=r"Nowhere/Land.*install the package tzdata"):
        decode(packed_datetime(zone=b"zNowhere/Land"))


def test_the_error_of_a_large_corrupt_value_is_short():
    with pytest.raises(CorruptData) as caught:
        decode(encode("secret" * 10_000) + b"\x00")
    assert len(str(caught.value)) < 600
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "header", [b"\xdd" + struct.pack(">I", 990_000), b"\xdc\xff\xff", b"\xdf" + struct.pack(">I", 490_000)]
)
def test_arrays_that_claim_more_than_there_is_cost_neither_memory_nor_time(header):
    bomb = header * 1_000 + bytes(1_000_000 - 1_000 * len(header))
    tracemalloc.start()
    started = clock.monotonic()
    try:
        with pytest.raises(CorruptData):
            decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(bomb)
    finally:
        tracemalloc.stop()
    assert clock.monotonic() - started < 2


def test_a_few_bytes_that_claim_a_huge_size_are_corrupt():
    for header in (b"\xdb", b"\xc6", b"\xdd", b"\xdf"):
        with pytest.raises(CorruptData):
            decode(header + b"\xff\xff\xff\xff" + b"abc")
    with pytest.raises(CorruptData):
        decode(b"\xc9\xff\xff\xff\xff\x04abc")
