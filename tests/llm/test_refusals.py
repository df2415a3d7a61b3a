"""What an exception of a call to a provider means, without a provider."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatiq_baton.decisions import GiveUp, RunLater
from dramatiq_baton.llm.patience import FailFor, Patience
from dramatiq_baton.llm.refusals import Failure, Meaning, Never, NotNow, meaning_of
from dramatiq_baton.llm.responses import LONGEST_CHAIN

from .shapes import SHAPES, Bag, Raising, Shape, as_a_cause, of_aiohttp, of_openai

EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)


def meaning(error: BaseException) -> Meaning:
    return meaning_of(error, now=0)


@EVERY_SHAPE
@pytest.mark.parametrize("status", [429, 503])
def test_too_many_requests_and_unavailable_are_refusals_for_now(shape: Shape, status: int) -> None:
    found = meaning(shape(status, {}))
    assert isinstance(found, NotNow)
    assert found.named is None
    assert found.words.startswith(f"status {status}: ")


@EVERY_SHAPE
@pytest.mark.parametrize("name", ["retry-after", "Retry-After", "RETRY-AFTER"])
@pytest.mark.parametrize("status", [400, 408, 409, 429, 500, 503, 529])
def test_a_retry_after_is_a_refusal_for_now_whatever_the_status(shape: Shape, name: str, status: int) -> None:
    found = meaning(shape(status, {name: "1.5", "x-other": "1"}))
    assert isinstance(found, NotNow)
    assert found.named == 1500


@EVERY_SHAPE
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_wrong_request_is_refused_for_good(shape: Shape, status: int) -> None:
    found = meaning(shape(status, {"retry-after": "soon"}))
    assert isinstance(found, Never)
    assert found.words.startswith(f"status {status}: ")


@EVERY_SHAPE
@pytest.mark.parametrize("status", [402, 405, 408, 409, 413, 418, 500, 501, 502, 504, 529, 599])
def test_every_other_status_is_a_failure(shape: Shape, status: int) -> None:
    assert meaning(shape(status, {"retry-after": "-1"})) == Failure()


@pytest.mark.parametrize(
    "error",
    [
        ValueError("429"),
        TimeoutError("timed out"),
        ConnectionResetError(104, "reset by peer"),
        Bag(status_code=None, status="RESOURCE_EXHAUSTED", code=lambda: 429),
        Bag(status_code=True, status=42900, code="4²9", response=None),
        Bag(status=-429, headers=[("retry-after", "1")]),
        Bag(response=Raising(), headers=Raising()),
        Bag(response={"status_code": 429}),
        Bag(code=0, headers=None),
    ],
    ids=repr,
)
def test_an_exception_that_tells_of_no_response_is_a_failure(error: Exception) -> None:
    assert meaning(error) == Failure()


@pytest.mark.parametrize(
    "error",
    [
        Bag(status_code=True, status=429),
        Bag(status_code="many", status=429),
        Bag(status_code=0, code="429"),
        Bag(status=1006, response=Bag(status_code=429)),
        Bag(code=-1, response=Bag(status="429")),
    ],
    ids=lambda error: str(vars(error)),
)
def test_what_is_no_status_does_not_hide_one(error: Exception) -> None:
    assert isinstance(meaning(error), NotNow)


def test_what_raises_when_asked_does_not_hide_what_doesnt() -> None:
    assert isinstance(meaning(Bag(response=Raising(), headers=Raising(), status=429)), NotNow)


def test_the_outermost_response_counts() -> None:
    error = of_openai(500, {})
    error.__cause__ = of_openai(400, {})
    assert meaning(error) == Failure()


def test_a_context_that_is_suppressed_does_not_count() -> None:
    error = ValueError("something else")
    error.__context__ = of_aiohttp(400, {})
    assert isinstance(meaning(error), Never)
    error.__suppress_context__ = True  # raise ... from None
    assert meaning(error) == Failure()


def test_only_the_first_exceptions_of_a_chain_are_looked_at() -> None:
    error = as_a_cause(429, {})  # a chain of two
    for _ in range(LONGEST_CHAIN - 2):
        outer = RuntimeError("outer")
        outer.__cause__, error = error, outer
    assert isinstance(meaning(error), NotNow)
    outer = RuntimeError("outer")
    outer.__cause__ = error
    assert meaning(outer) == Failure()


def test_a_chain_that_is_a_ring_ends() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert meaning(one) == Failure()


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.dictionaries(st.text(), st.text()),
    st.dictionaries(st.sampled_from(["retry-after", "Retry-After-MS"]), st.text()),
    st.builds(Raising),
)
NAMES = ["status_code", "status", "code", "headers", "body"]


@given(
    st.dictionaries(st.sampled_from(NAMES), ANYTHING),
    st.dictionaries(st.sampled_from([*NAMES, "text"]), ANYTHING),
    st.text(),
)
def test_no_exception_is_too_strange(own: dict[str, Any], response: dict[str, Any], text: str) -> None:
    error = Bag(text, response=Bag(**response), **own)
    patience = Patience(2_000, 120_000, max_refusals=3)
    action = patience.decide(error, refusals=0, retries=0, now=0)
    assert isinstance(action, RunLater | GiveUp | FailFor)
    if isinstance(action, RunLater):
        assert 1 <= action.delay <= 7 * 24 * 3600 * 1000


def test_patience_ends_with_max_refusals() -> None:
    patience = Patience(100, 1_000, max_refusals=2)
    error = of_aiohttp(429, {"retry-after-ms": "40"})
    actions = [patience.decide(error, refusals=times, retries=0, now=0) for times in range(3)]
    for action, refusals in itertools.zip_longest(actions[:2], [1, 2]):
        assert isinstance(action, RunLater)
        assert 40 <= action.delay <= 50
        assert action.refusals == refusals
    assert actions[2] == GiveUp("refused 3 times in a row, max_refusals is 2: status 429: Bag: no", "Bag: no")


def test_no_patience_at_all_discards_at_the_first_refusal() -> None:
    action = Patience(100, 1_000, max_refusals=0).decide(of_openai(429, {}), refusals=0, retries=0, now=0)
    assert isinstance(action, GiveUp)
