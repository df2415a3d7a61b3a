"""Keywords: the words that set a text apart from others."""

from __future__ import annotations

import pytest

from dramatiq_baton.demo.keywords import keywords, word_counts


def test_words_are_counted_without_stop_words_code_and_addresses() -> None:
    text = (
        "The Kettle's kettle boils water. Pots and a pot; boil_water(pot), kettle.boil and --loud "
        "are code, https://water.example/pots is an address. C++ and well-known things. "
        "I'm 3.11 a1b2c3d4e5"
    )
    assert word_counts(text) == {
        "kettle": 2,
        "boils": 1,
        "water": 1,
        "pot": 2,
        "address": 1,
        "c++": 1,
        "well-known": 1,
    }


def test_plural_needs_its_singular() -> None:
    assert word_counts("Redis tests a test of tests.") == {"redis": 1, "test": 3}


def test_words_rare_elsewhere_weigh_most() -> None:
    counts = {"water": 4, "whistle": 4, "steam": 1}
    found = keywords(counts, [{"water": 9}, {"water": 1, "steam": 1}])
    assert [keyword["word"] for keyword in found] == ["whistle", "steam", "water"]
    weights = {keyword["word"]: keyword["weight"] for keyword in found}
    # ln((1 + 3) / 1), since no other text has the word, and nothing is more frequent.
    assert weights["whistle"] == pytest.approx(1.3863)
    assert weights["water"] == pytest.approx(0.2877)


def test_forms_of_a_word_are_one_keyword() -> None:
    found = keywords({"unpack": 3, "unpacking": 2, "unpacker": 1, "retry": 1, "retries": 1}, [])
    assert [keyword["word"] for keyword in found] == ["unpack", "retry"]


def test_earlier_word_wins_a_tie() -> None:
    assert [keyword["word"] for keyword in keywords({"zebra": 1, "apple": 1}, [])] == ["zebra", "apple"]


def test_count_is_the_most() -> None:
    counts = dict.fromkeys("abcdefghijkl", 1)
    assert [len(keywords(counts, [], count=count)) for count in (0, 3, 99)] == [0, 3, 12]
    assert len(keywords(counts, [])) == 8
    assert keywords({}, [{"a": 1}]) == []
