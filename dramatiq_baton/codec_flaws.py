"""What in a value can't be stored, where it is, and what to return instead."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from .codec_scalars import CODES, CONTAINERS, SUPPORTED, Refused, type_name, zone_bytes

# What to return instead of an object whose type has the attribute: an enum, dataclass, pydantic model,
# bytearray or memoryview, numpy value, iterator.
_MENDS = {
    "__members__": "its .value",
    "__dataclass_fields__": "dataclasses.asdict() of it",
    "model_dump": "its .model_dump()",
    "hex": "bytes() of it",
    "tolist": "its .tolist()",
    "__next__": "list() of it",
}


def find_flaw(value: object, max_depth: int) -> str | None:
    """Where the first thing is that can't be stored, in the order of packing, and why."""
    walk = [iter([("$", value)])]
    trail: list[str] = []
    above: dict[int, None] = {}  # ids of the containers that the walk is in, outermost first
    while walk:
        for piece, child in walk[-1]:
            if type(child) not in CONTAINERS:
                problem = _refusal(child)
            elif id(child) in above:
                problem = f"is a {type(child).__name__} that holds itself; return a tree"
            elif len(above) >= max_depth:
                problem = f"is nested too deeply: {max_depth} levels are the most that can be stored"
            else:
                walk.append(_children(child))
                trail.append(piece)
                above[id(child)] = None
                break
            if problem:
                trail.append(piece)
                if len(trail) > 20:
                    trail[10:-10] = [f" ...{len(trail) - 20} levels... "]
                return f"{''.join(trail)} {problem}"
        else:
            walk.pop()
            if above:
                trail.pop()
                above.popitem()
    return None


def _children(container: Any) -> Iterator[tuple[str, object]]:
    # The copies are for a container that another thread changes: the search must not fail for that.
    if isinstance(container, dict):
        for number, (key, item) in enumerate(list(container.items()), 1):
            yield f"<key {number}>", key
            yield _subscript(key), item
    else:
        piece = "<member>" if isinstance(container, (set, frozenset)) else "[{}]"
        yield from ((piece.format(index), item) for index, item in enumerate(list(container)))


def _subscript(key: object) -> str:
    if isinstance(key, str) and len(key) < 50 and key.isidentifier():
        return f".{key}"
    try:
        return f"[{reprlib.repr(key)}]"
    except ValueError:  # Python doesn't print integers of thousands of digits
        return f"[<{type(key).__name__}>]"


def _refusal(scalar: object) -> str | None:
    kind = type(scalar)
    if kind not in SUPPORTED:
        return f"is of type {type_name(kind)}, which can't be stored; {_mend(kind)}"
    if isinstance(scalar, (datetime, time)):
        try:
            zone_bytes(scalar.tzinfo)
        except Refused as refused:
            return f"is of type {type_name(kind)} with {refused}"
    return None


def _mend(kind: type) -> str:
    for plain in (str, bytes, int, float, list, dict, *CODES):  # datetime before date, its base class
        if issubclass(kind, plain):
            return f"return a plain {plain.__name__}"
    for attribute, mend in _MENDS.items():
        if hasattr(kind, attribute):
            return f"return {mend}"
    return "return a dict, list, str or the like instead"
