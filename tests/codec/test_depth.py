"""Nesting: up to the limit it comes back, beyond it is refused, and nothing recurses."""

from __future__ import annotations

import sys

import pytest

from dramatiq_baton.codec import MAX_DEPTH, decode, encode
from dramatiq_baton.errors import ResultNotSerializable
from tests.codec.values import there_and_back

WRAPPINGS = {
    "lists": lambda inner: [inner],
    "dicts": lambda inner: {"a": inner},
    "tuples": lambda inner: (inner,),
    "frozensets": lambda inner: frozenset({inner}),
    "dict values after others": lambda inner: {7: 1, None: 2, "b": inner},
    "large lists": lambda inner: [inner, *range(20)],
    "large dicts": lambda inner: {**dict.fromkeys(range(20)), "b": inner},
}


def nested(depth: int, wrappings: list) -> object:
    value: object = 7
    for level in range(depth):
        value = wrappings[level % len(wrappings)](value)
    return value


MIXES = {
    **{name: [wrap] for name, wrap in WRAPPINGS.items()},
    "tuples in frozensets": [WRAPPINGS["tuples"], WRAPPINGS["frozensets"]],
    "lists, dicts and tuples": [WRAPPINGS["lists"], WRAPPINGS["dicts"], WRAPPINGS["tuples"]],
}


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
def test_the_deepest_allowed_nesting_comes_back(mix):
    value = nested(MAX_DEPTH, mix)
    data = encode(value)
    back = decode(data)
    assert encode(back) == data
    for _ in range(MAX_DEPTH):
        assert type(back) is type(value)
        back, value = (
            list(one.values())[-1] if isinstance(one, dict) else next(iter(one)) for one in (back, value)
        )
    assert back == 7


@pytest.mark.parametrize("leaf", [[], {}, (), frozenset()], ids=repr)
def test_an_empty_container_counts_as_a_level(leaf):
    def around(depth):
        value = leaf
        for _ in range(depth):
            value = [value]
        return value

    assert type(decode(encode(around(MAX_DEPTH - 1)))) is list
    with pytest.raises(ResultNotSerializable, match="nested too deeply"):
        encode(around(MAX_DEPTH))


def test_the_deepest_allowed_nesting_in_a_key_comes_back():
    value = {nested(MAX_DEPTH - 1, [WRAPPINGS["tuples"], WRAPPINGS["frozensets"]]): 1}
    assert encode(decode(encode(value))) == encode(value)
    with pytest.raises(ResultNotSerializable, match="nested too deeply"):
        encode({nested(MAX_DEPTH, [WRAPPINGS["tuples"]]): 1})


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
def test_deeper_nesting_is_refused(mix):
    most = rf"^step 'x': \$.* levels\.\.\. .*: {MAX_DEPTH} levels are the most"
    # around msgpack's own limits too; Python itself can't hash much deeper frozensets
    deepest = [] if WRAPPINGS["frozensets"] in mix else [3_000]
    for depth in [MAX_DEPTH + 1, 511, 512, 513, 1024, 1025, *deepest]:
        with pytest.raises(ResultNotSerializable, match=most):
            encode(nested(depth, mix), step="x")


def test_nesting_200_000_deep_is_refused_without_recursion():
    value: object = 1
    chain = []  # to take it apart from the outside: Python would free it recursively
    for level in range(200_000):
        value = [{"a": value}, (value,), [value]][level % 3]
        chain.append(value)
    with pytest.raises(ResultNotSerializable, match="nested too deeply"):
        encode(value)
    del value
    while chain:
        chain.pop()


def test_depth_is_checked_where_the_value_is_wide_too():
    wide = [{"a": [1], "b": {}} for _ in range(3 * MAX_DEPTH)]
    assert there_and_back(wide) == wide
    with pytest.raises(ResultNotSerializable, match="nested too deeply"):
        encode([*wide, nested(MAX_DEPTH, [WRAPPINGS["lists"]])])


def test_the_encoder_works_close_to_the_recursion_limit():
    value = nested(MAX_DEPTH, MIXES["lists, dicts and tuples"])
    expected = encode(value)

    def dive(levels):
        return encode(decode(encode(value))) if levels == 0 else dive(levels - 1)

    frame, used = sys._getframe(), 0
    while frame:
        frame, used = frame.f_back, used + 1
    assert dive(sys.getrecursionlimit() - used - 40) == expected
