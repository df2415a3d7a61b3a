"""Results as bytes: msgpack, with the types that Python code returns and msgpack doesn't know.

What :func:`encode` accepts, :func:`decode` gives back equal and of the very same type; all else is
refused. Neither runs a value's own code: types are matched exactly, and the data names no classes. The
bytes aren't canonical: two equal sets, or equal dicts built in another order, may differ.

Scalars are msgpack extensions. A tuple or set is an array whose first item is an empty extension, its
mark (a caller's own ``ExtType`` is refused, so nothing else can look like one). That keeps nesting in
the C packer: no recursion in Python, no payload copied once per level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from msgpack import ExtType, Packer, StackError, Unpacker, unpackb

from .codec_flaws import find_flaw
from .codec_scalars import CODES, CONTAINERS, SUPPORTED, Refused, read_extension, scalar_bytes
from .errors import CorruptData, ResultNotSerializable, ResultTooLarge

MAX_DEPTH = 400
"""Containers may be nested this deep. msgpack itself gives up at 511 (before 1.2) or 1024."""

_ZONE = "install the package tzdata on this host too"
_FOREIGN = "another program may write to Baton's keys: give it another namespace"

# The first bytes of msgpack's ext items, and of its bin and ext items.
_EXT = bytes([*range(0xC7, 0xCA), *range(0xD4, 0xD9)])
_BIN_OR_EXT = bytes([0xC4, 0xC5, 0xC6, *_EXT])
_EMPTY_EXT = b"\xc7\x00"
# The C unpacker nests 1024 deep: behind so many opened arrays, it nests MAX_DEPTH deep.
_PADDING = b"\x91" * (1024 - MAX_DEPTH)


def encode(value: object, *, step: str = "") -> bytes:
    """Pack a value; ``step`` is only for the error's text.

    Accepts None, bool, int and float of any size, str, bytes, list, dict with any keys, tuple, set,
    frozenset, datetime, date, time, timedelta, Decimal and UUID, but none of their subclasses.

    Raises:
        ResultNotSerializable: the value holds something else, itself, or more than
            :data:`MAX_DEPTH` levels.
    """
    # A packer per call: they aren't thread-safe, and Dramatiq's time limit can interrupt one mid-way.
    try:
        try:
            data: bytes = Packer(default=_lower, strict_types=True).pack(value)
        except UnicodeEncodeError:  # lone surrogates; this handler slows all text down, so it comes second
            data = Packer(default=_lower, strict_types=True, unicode_errors="surrogatepass").pack(value)
        flaw = None if _is_harmless(data, _BIN_OR_EXT) or _is_sound(value) else find_flaw(value, MAX_DEPTH)
    except (Refused, TypeError, ValueError, OverflowError, RuntimeError) as error:
        flaw = find_flaw(value, MAX_DEPTH) or f"the value can't be stored: {error}"
    if flaw:
        raise ResultNotSerializable(f"step {step!r}: {flaw}" if step else flaw)
    return data


def check_size(data: bytes, value: object, *, limit: int, what: str) -> None:
    """Check that a packed value isn't too large to be stored; ``what`` names the value in the error's text.

    Raises:
        ResultTooLarge: it has more than ``limit`` bytes.
    """
    if len(data) > limit:
        raise ResultTooLarge(
            f"{what} ({type(value).__name__}) has {len(data)} bytes, max_result_size is {limit}"
        )


def decode(data: bytes, *, what: str = "a stored value") -> Any:
    """Unpack what :func:`encode` packed; ``what`` names the value in the error's text.

    Raises:
        CorruptData: these bytes aren't from :func:`encode`, or they name a time zone that this host
            doesn't know; the message says which.
    """
    try:
        is_harmless = _is_harmless(data, _EXT)
        if len(data) > MAX_DEPTH and not is_harmless:
            # msgpack before 1.2 allocates an array as long as it claims to be, at every level, and newer
            # ones still much of it. Skipping allocates nothing, and sees whether the items are there.
            _skip(data)
        value = unpackb(
            data,
            strict_map_key=False,
            unicode_errors="surrogatepass",
            ext_hook=read_extension,
            list_hook=None if is_harmless or _EMPTY_EXT not in data else _read_list,
        )
        # Unsound are: a mark that isn't first in an array, msgpack's Timestamp, too deep nesting.
        if not (is_harmless or _is_sound(value)):
            raise ValueError("it is not laid out as Baton does")
    except MemoryError:  # the data can't ask for much more than its own size: not its fault
        raise
    except Exception as error:
        reason = str(error)[:500] or type(error).__name__
        mend = _ZONE if isinstance(error, ZoneInfoNotFoundError) else _FOREIGN
        raise CorruptData(f"{what} can't be read: {reason}; {mend}") from error
    return value


def _is_harmless(data: bytes, suspects: bytes) -> bool:
    """Whether the bytes alone show that their value needs no :func:`_is_sound`. Most do.

    The packer takes bytearray, memoryview, ExtType and Timestamp without asking, and the unpacker the
    last; both nest deeper than MAX_DEPTH. The former can't be without one of the bytes ``suspects``,
    which may as well be part of a text or number: then the value is looked at in vain.
    """
    if len(data) <= MAX_DEPTH:  # too short for the depth; and for short data, this is faster
        return len(data.translate(None, suspects)) == len(data)
    if any(byte in data for byte in suspects):
        return False
    try:
        _skip(_PADDING, data)
    except StackError:
        return False
    return True


def _skip(*parts: bytes) -> None:
    """Read msgpack without building its value; much faster than that."""
    unpacker = Unpacker(max_buffer_size=sum(map(len, parts)))
    for part in parts:
        unpacker.feed(part)
    unpacker.skip()


def _is_sound(value: object) -> bool:
    """Whether all types are supported and nesting is within MAX_DEPTH. For a value without cycles."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= SUPPORTED:
            return False
        if kinds.isdisjoint(CONTAINERS):
            return True
        deeper: list[Any] = []
        for container in [item for item in level if type(item) in CONTAINERS]:
            deeper += container
            if type(container) is dict:
                deeper += container.values()
        level = deeper
    return False


def _lower(value: Any) -> object:
    """What the packer shall pack for a value that it can't pack itself."""
    kind = type(value)
    if kind not in CODES:
        raise Refused
    if kind in CONTAINERS:
        return [ExtType(CODES[kind], b""), *value]
    return ExtType(CODES[kind], scalar_bytes(value))


def _read_list(items: list[Any]) -> object:
    # A mark is decoded as the type itself; nothing else is decoded as a type.
    if items and isinstance(items[0], type):
        kind: Callable[[list[Any]], object] = items.pop(0)
        return kind(items)
    return items
