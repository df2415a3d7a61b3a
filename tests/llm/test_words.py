"""A provider's words are kept, its users' credentials are not."""

from __future__ import annotations

import pytest

from dramatiq_baton.decisions import MAX_TEXT
from dramatiq_baton.llm.words import kept, words_of

from .shapes import Bag, Falsy, of_httpx, of_requests, of_urllib


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Bag("Error code: 400", body={"message": "no\nsuch  model"}), "no such model"),
        (Bag(body={"type": "error", "error": {"type": "x", "message": "overloaded"}}), "overloaded"),
        (Bag(response=Falsy(400, {}, '{"error": "bad input"}')), "bad input"),
        (of_httpx(404, {}), "no"),
        (of_requests(404, {}), "no"),
        (of_urllib(404, {}), "HTTPError: HTTP Error 404: no"),
        (Bag("its own", response=Falsy(400, {}, "<html>")), "Bag: its own"),
        (Bag("its own", response=Falsy(400, {}, "[" * 100_000)), "Bag: its own"),
        (Bag("its own", body={"message": 5}), "Bag: its own"),
        (Bag("its own", body={"error": {"error": {}}}), "Bag: its own"),
        (Bag(""), "Bag"),
    ],
)
def test_the_words_are_the_response_s_or_else_the_exception_s(error: Exception, words: str) -> None:
    assert words_of(error) == words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Incorrect API key provided: sk-proj-abc_DEF123.", "Incorrect API key provided: ***."),
        ("provided: sk-ab***********cd", "provided: ***"),
        ("authorization: Bearer abc.def-123", "authorization: Bearer ***"),
        ("{'x-api-key': 'abcdef'}", "{'x-api-key': '***'}"),
        ("access_token=abc&x=1", "access_token=***&x=1"),
        ("key AIzaSyA-1234567890 is unknown", "key *** is unknown"),
        ("for url 'https://u:p@host:1/v1?key=abc#x'", "for url 'https://host:1/v1'"),
        ("for url: http://host/v1/models", "for url: http://host/v1/models"),
        ("max_tokens is too large: 5000", "max_tokens is too large: 5000"),
        ("a risk-averse task-oriented keyword", "a risk-averse task-oriented keyword"),
    ],
)
def test_credentials_are_left_out(text: str, left: str) -> None:
    assert kept(text) == left


def test_words_are_shortened() -> None:
    assert len(words_of(Bag(body={"message": "no " * 10_000}))) == MAX_TEXT
