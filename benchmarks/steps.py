"""What the steps of all systems compute, and what comes out when all went well."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterable


def link(value: int) -> int:
    """A step of a chain."""
    return value + 1


def part(base: int, number: int) -> int:
    """One of many steps between the first one, whose result is ``base``, and the last one."""
    return base + number


def left(value: int) -> int:
    """A step of a diamond."""
    return value + 1


def right(value: int) -> int:
    """The other step of a diamond."""
    return value * 2


def turn(data: str) -> str:
    """A step that passes a payload on."""
    return data[1:] + data[:1]


def digest(data: str) -> str:
    """What the last step tells of a payload."""
    return hashlib.sha256(data.encode()).hexdigest()


def nap(seconds: float) -> float:
    """A step that takes a while; returns when it ended, on the clock of all processes."""
    time.sleep(seconds)
    return time.monotonic()


def since(ended: float) -> float:
    """What the step after a :func:`nap` tells: how long ago the nap ended, in seconds."""
    return time.monotonic() - ended


#: What the first step of a fan returns.
BASE = 1


def fan_total(width: int) -> int:
    """What the last step of a fan tells: the sum of all parts."""
    return sum(part(BASE, number) for number in range(width))


def diamond_total(number: int) -> int:
    """What the last step of the diamond that begins with ``number`` tells."""
    return left(number) + right(number)


def payload(size: int) -> str:
    """A text of ``size`` bytes that doesn't compress well; the same one each time."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    return "".join(random.Random(size).choices(letters, k=size))


def payload_end(size: int, length: int) -> str:
    """What the last of ``length`` steps tells of a payload that each of them turned."""
    data = payload(size)
    return digest(data[length:] + data[:length])


class WrongResult(Exception):
    """A workload ended with another result than it must."""


def check(found: object, expected: object) -> None:
    """Compare what a last step told with what it must tell.

    Raises:
      WrongResult: If it differs.
    """
    if found != expected:
        raise WrongResult(f"the last step told {found!r:.100}, not {expected!r:.100}")


def check_all(found: Iterable[object], expected: Iterable[object]) -> None:
    """The same for the last steps of many workflows, which end in any order."""
    check(sorted(found, key=repr), sorted(expected, key=repr))
