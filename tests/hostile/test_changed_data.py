"""Somebody changes what is stored of a workflow, anywhere, to anything: every call answers or says what is wrong."""

from __future__ import annotations

import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dramatiq_baton import StoreError
from dramatiq_baton.store import upkeep
from tests.support.by_hand import ByHand
from tests.support.world import World

from .halfway import HASHES, ID, everything, halfway, said_by

#: Values that mean something somewhere, but not there.
TELLING = [
    b"",
    b"0",
    b"-1",
    b"1e400",
    b"nan",
    b"\xc0",
    b"\x90",
    b"\x80",
    b"\xdd\xff\xff\xff\xff",
    b"\x91" * 600,
    b"9" * 30,
]


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    ending=st.sampled_from(HASHES),
    field=st.integers(0, 30),
    value=st.one_of(st.sampled_from(TELLING), st.binary(max_size=60)),
    cut=st.booleans(),
)
@example(ending="", field=0, value=b"2", cut=False)
def test_whatever_a_value_is_changed_to_the_error_names_the_workflow(
    world: World, hand: ByHand, ending: str, field: int, value: bytes, cut: bool
) -> None:
    halfway(world, hand)
    raw = redis.Redis.from_url(world.url)
    key = f"{world.namespace}:workflow:{{{ID}}}{ending}"
    fields = sorted(raw.hkeys(key))
    changed = fields[field % len(fields)]
    whole = raw.hget(key, changed)
    assert whole is not None
    raw.hset(key, changed, whole[: len(value)] if cut else value)
    raw.close()
    for name, ask in everything(hand).items():
        error = said_by(ask)
        if error is not None:
            text = str(error)
            assert any(named in text for named in (ID, "'done'", "'next'", "'late'", "'last'")), (name, text)
            assert not isinstance(error, StoreError), (name, text)  # which tells of no remedy
            assert len(text) < 1000, (name, text)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    index=st.sampled_from(
        ["leases", "waiting", "spreading", "expiring", "workflows:executing", "workflows:failed"]
    ),
    member=st.one_of(
        st.sampled_from([b"", b"\x1f", b"mine\x1fnext\x1fx", b"\xff\xfe\x1fa\x1f1"]), st.binary(max_size=30)
    ),
    score=st.sampled_from([0, -1, 2**60, float("inf")]),
)
def test_whatever_stands_in_an_index_others_are_looked_after(
    world: World, hand: ByHand, index: str, member: bytes, score: float
) -> None:
    halfway(world, hand)
    raw = redis.Redis.from_url(world.url)
    raw.zadd(f"{world.namespace}:index:{index}", {member: score})
    raw.delete(f"{world.namespace}:index:rescue")
    raw.close()
    asked = everything(hand)
    for name in ("catalogue", "tidy"):
        assert said_by(asked[name]) is None
    due = upkeep.sweep(hand.store, who="w", alone_for=1, most=10)
    assert due is not None
