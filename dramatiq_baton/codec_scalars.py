"""What msgpack doesn't know of Python's types: their codes, and scalars and time zones as bytes."""

from __future__ import annotations

import struct
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

# Extension codes. Stored data outlives a release, so no code may ever be given another meaning.
CODES: dict[type, int] = {
    tuple: 1,
    set: 2,
    frozenset: 3,
    int: 4,  # of more than 64 bits; others are msgpack's own
    Decimal: 5,
    UUID: 6,
    datetime: 7,
    date: 8,
    time: 9,
    timedelta: 10,
}
_KINDS = {code: kind for kind, code in CODES.items()}
CONTAINERS = frozenset({list, dict, tuple, set, frozenset})
SUPPORTED = frozenset({type(None), bool, float, str, bytes, *CONTAINERS, *CODES})
_DATE, _CLOCK, _DELTA, _OFFSET = map(struct.Struct, (">HBB", ">BBBIB", ">iII", ">q"))


class Refused(Exception):
    """A value that can't be stored; the text says why, if its type is a supported one."""


def scalar_bytes(value: object) -> bytes:
    """The payload of a scalar's extension."""
    if isinstance(value, int):
        return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    if isinstance(value, Decimal):
        return str(value).upper().encode()  # upper, as a decimal context may make the exponent's E an e
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, timedelta):
        return _DELTA.pack(value.days, value.seconds, value.microseconds)
    data = b""
    if isinstance(value, date):
        data += _DATE.pack(value.year, value.month, value.day)
    if isinstance(value, (datetime, time)):
        data += _CLOCK.pack(value.hour, value.minute, value.second, value.microsecond, value.fold)
        data += zone_bytes(value.tzinfo)
    return data


def read_extension(code: int, data: bytes) -> object:
    """The scalar that an extension stands for; of a mark, the type of container."""
    kind = _KINDS.get(code)
    if kind in CONTAINERS and not data:
        return kind
    if kind is int:
        return int.from_bytes(data, "big", signed=True)
    if kind is Decimal and data == scalar_bytes(number := Decimal(data.decode())):
        return number  # compared, since Decimal() takes spaces and underscores too
    if kind is UUID:
        return UUID(bytes=data)
    if kind is timedelta:
        return timedelta(*_DELTA.unpack(data))
    if kind is date:
        return date(*_DATE.unpack(data))
    if kind is time:
        return _read_time(data)
    if kind is datetime:
        return datetime.combine(date(*_DATE.unpack(data[: _DATE.size])), _read_time(data[_DATE.size :]))
    raise ValueError(f"extension {code} of {len(data)} bytes is unknown")


def _read_time(data: bytes) -> time:
    *fields, fold = _CLOCK.unpack(data[: _CLOCK.size])
    return time(*fields).replace(tzinfo=_read_zone(data[_CLOCK.size :]), fold=fold)


def zone_bytes(zone: tzinfo | None) -> bytes:
    """Nothing, ``o`` with an offset and perhaps ``=`` with a name of its own, or ``z`` with a key."""
    if zone is None:
        return b""
    if type(zone) is timezone:
        offset, name = zone.utcoffset(None), zone.tzname(None)
        fields = b"o" + _OFFSET.pack(offset // timedelta(microseconds=1))
        is_unnamed = name == timezone(offset).tzname(None)
        return fields if is_unnamed else fields + b"=" + name.encode("utf-8", "surrogatepass")
    if type(zone) is ZoneInfo:
        try:
            return b"z" + ZoneInfo(zone.key).key.encode()
        except Exception:  # from ZoneInfo.from_file(), which takes any key, or none
            raise Refused("a ZoneInfo of no known key, which can't be stored") from None
    raise Refused(f"a tzinfo of type {type_name(type(zone))}, which can't be stored; use zoneinfo.ZoneInfo")


def _read_zone(data: bytes) -> tzinfo | None:
    form, rest = data[:1], data[1:]
    if form == b"z":
        return ZoneInfo(rest.decode())
    if form == b"o" and rest[8:9] in (b"", b"="):
        offset = timedelta(microseconds=_OFFSET.unpack(rest[:8])[0])
        return timezone(offset, rest[9:].decode("utf-8", "surrogatepass")) if rest[8:] else timezone(offset)
    if data:
        raise ValueError("not a time zone")
    return None


def type_name(kind: type) -> str:
    """The name that an error gives a type."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
