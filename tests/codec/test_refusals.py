"""What can't be stored is refused, and the error says where it is and what to do."""

from __future__ import annotations

import collections
import dataclasses
import enum
import io
from datetime import datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgpack
import pytest

from dramatiq_baton.codec import encode
from dramatiq_baton.errors import ResultNotSerializable
from tests.codec.values import is_hashable, there_and_back


class Colour(enum.Enum):
    RED = 1


class Size(enum.IntEnum):
    BIG = 1


class Word(str):
    pass


class Moment(datetime):
    pass


class Zone(tzinfo):
    def utcoffset(self, moment):
        return timedelta(0)


@dataclasses.dataclass(frozen=True)
class Page:
    number: int


class Model:
    def model_dump(self):
        return {}


Point = collections.namedtuple("Point", "x y")

REFUSED = {
    "an object": (object(), "object", "return a dict"),
    "a class": (int, "type", "return a dict"),
    "a function": (there_and_back, "function", "return a dict"),
    "an enum": (Colour.RED, "Colour", "return its .value"),
    "an IntEnum": (Size.BIG, "Size", "return a plain int"),
    "a namedtuple": (Point(1, 2), "Point", "return a plain tuple"),
    "an OrderedDict": (collections.OrderedDict(), "OrderedDict", "return a plain dict"),
    "a defaultdict": (collections.defaultdict(int), "defaultdict", "return a plain dict"),
    "a Counter": (collections.Counter(), "Counter", "return a plain dict"),
    "a str subclass": (Word("a"), "Word", "return a plain str"),
    "a datetime subclass": (Moment(2026, 1, 1), "Moment", "return a plain datetime"),
    "a dataclass": (Page(1), "Page", "return dataclasses.asdict() of it"),
    "a pydantic model": (Model(), "Model", "return its .model_dump()"),
    "a bytearray": (bytearray(b"a"), "bytearray", "return bytes() of it"),
    "a memoryview": (memoryview(b"a"), "memoryview", "return bytes() of it"),
    "an ExtType": (msgpack.ExtType(1, b""), "ExtType", "return a plain tuple"),
    "a Timestamp": (msgpack.Timestamp(1), "Timestamp", "return a dict"),
    "a complex number": (1j, "complex", "return a dict"),
    "a range": (range(3), "range", "return a dict"),
    "a generator": ((i for i in "ab"), "generator", "return list() of it"),
    "an exception": (ValueError("a"), "ValueError", "return a dict"),
    "an open file": (io.BytesIO(), "_io.BytesIO", "return list() of it"),
    "a datetime with a tzinfo of its own": (
        datetime(2026, 1, 1, tzinfo=Zone()),
        "Zone",
        "use zoneinfo.ZoneInfo",
    ),
    "a time with a tzinfo of its own": (time(1, tzinfo=Zone()), "Zone", "use zoneinfo.ZoneInfo"),
}


@pytest.mark.parametrize(("value", "name", "mend"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_names_step_path_type_and_mend(value, name, mend):
    with pytest.raises(ResultNotSerializable) as caught:
        encode({"pages": [1, 2, 3, {"the title": value}]}, step="extract")
    text = str(caught.value)
    assert text.startswith("step 'extract': $.pages[3]['the title'] is of type ")
    assert name in text
    assert mend in text


@pytest.mark.parametrize(("value", "name", "mend"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_value_is_refused_wherever_it_is(value, name, mend):
    places = [
        value,
        [value],
        (value,),
        {"a": value},
        [2**70, "\ud800", (), {"a": [value]}],
        [[0] * 5000, value],
    ]
    if is_hashable(value):
        places += [{value}, frozenset({value}), {value: 1}, {(1, value): 1}]
    for place in places:
        with pytest.raises(ResultNotSerializable, match=r"^\$.* is of type "):
            encode(place)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1j, "$"),
        ([1, 1j], "$[1]"),
        ((1, (1j,)), "$[1][0]"),
        ({"a": {"b": 1j}}, "$.a.b"),
        ({"not an identifier": 1j}, "$['not an identifier']"),
        ({7: 1j}, "$[7]"),
        ({(1, "a"): [1j]}, "$[(1, 'a')][0]"),
        ({"a": 1, 1j: 2}, "$<key 2>"),
        ({"a": {(1, 1j): 2}}, "$.a<key 1>[1]"),
        ({"tags": {1j}}, "$.tags<member>"),
        ({"tags": {(1, 1j)}}, "$.tags<member>[1]"),
        ({10**5000: 1j}, "$[<int>]"),
        ({"\ud800": 1j}, "$['\\ud800']"),
    ],
)
def test_the_path_says_where_in_the_value_the_refused_one_is(value, path):
    with pytest.raises(ResultNotSerializable) as caught:
        encode(value)
    assert str(caught.value).startswith(f"{path} is of type complex, ")


def test_the_path_is_short_even_if_a_key_is_long():
    with pytest.raises(ResultNotSerializable) as caught:
        encode({"k" * 10_000: {"k " * 10_000: {("k" * 10_000,): 1j}}})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 8, 12, 16, 300, 70_000])
def test_what_the_packer_takes_for_bytes_or_extensions_is_refused_at_any_size(size):
    data = bytes(size)
    for value in (bytearray(data), memoryview(data), msgpack.ExtType(5, data), msgpack.ExtType(127, data)):
        for place in (value, {"a": [1, value]}, ["text " * 1000, value]):
            with pytest.raises(ResultNotSerializable, match=type(value).__name__):
                encode(place)
    for timestamp in (msgpack.Timestamp(1), msgpack.Timestamp(1, 1), msgpack.Timestamp(2**40)):
        with pytest.raises(ResultNotSerializable, match="Timestamp"):
            encode(timestamp)


def test_a_zoneinfo_without_a_known_key_is_refused():
    with open(next(iter_zone_files()), "rb") as file:
        nameless = ZoneInfo.from_file(file)
        file.seek(0)
        own = ZoneInfo.from_file(file, key="Nowhere/Land")
    for zone in (nameless, own):
        with pytest.raises(
            ResultNotSerializable, match=r"\$\.at is of type datetime.datetime with a ZoneInfo"
        ):
            encode({"at": datetime(2026, 1, 1, tzinfo=zone)})


def iter_zone_files():
    import importlib.util
    import zoneinfo
    from pathlib import Path

    for folder in zoneinfo.TZPATH:
        if (path := Path(folder) / "Europe/Berlin").exists():
            yield path
    if spec := importlib.util.find_spec("tzdata"):
        yield Path(spec.origin).parent / "zoneinfo/Europe/Berlin"


def test_a_value_that_holds_itself_is_refused():
    as_list: list = [1]
    as_list.append(as_list)
    as_dict: dict = {}
    as_dict["a"] = {"b": (as_dict,)}
    wide: list = []
    wide += [wide] * 10
    for value, path in [(as_list, "$[1]"), (as_dict, "$.a.b[0]"), (wide, "$[0]")]:
        with pytest.raises(ResultNotSerializable) as caught:
            encode(value)
        assert str(caught.value).startswith(f"{path} is a {type(value).__name__} that holds itself")


def test_a_value_that_another_thread_changes_meanwhile_is_refused(monkeypatch):
    class FailingPacker:
        def __init__(self, **options):
            pass

        def pack(self, value):
            raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr("dramatiq_baton.codec.Packer", FailingPacker)
    with pytest.raises(
        ResultNotSerializable, match=r"step 'x': the value can't be stored: dictionary changed size"
    ):
        encode({"a": 1}, step="x")
