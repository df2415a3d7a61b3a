"""Summaries: the sentences that a text turns on, in its order."""

from __future__ import annotations

import random

import pytest

from dramatiq_baton.demo.ranking import split_sentences, summarise


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It needs 3.11. It runs.", ["It needs 3.11.", "It runs."]),
        (
            "Use pots, e.g. Large ones, i.e. those. Done.",
            ["Use pots, e.g. Large ones, i.e. those.", "Done."],
        ),
        (
            "Pots, pans, etc. are here. Lids etc. Too.",
            ["Pots, pans, etc. are here.", "Lids etc.", "Too."],
        ),
        ("See https://x.example/a.b?c=d. Then go!", ["See https://x.example/a.b?c=d.", "Then go!"]),
        (
            "By Guido J. Smith. It is in C. It is fast.",
            ["By Guido J. Smith.", "It is in C.", "It is fast."],
        ),
        ("It boils. redis-py waits.", ["It boils.", "redis-py waits."]),
        ('He said "Go." Then left.', ['He said "Go."', "Then left."]),
        ("Wait ... and see. Why? Because.", ["Wait ... and see.", "Why?", "Because."]),
        ("A heading\n\nA sentence\nof two lines.", ["A heading", "A sentence of two lines."]),
        ("", []),
    ],
)
def test_sentences_are_split(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_central_sentences_are_chosen_in_their_order() -> None:
    text = (
        "Kettle is a library that boils water in pots.\n\n"
        "Lunch is served on the terrace at noon today.\n\n"
        "Small pots hold water that a stove heats slowly.\n\n"
        "Nobody has ever asked about the colour of bananas.\n\n"
        "Every stove heats kettle and cups until steam rises."
    )
    summary = summarise(text, sentences=3)
    assert summary == [text.split("\n\n")[index] for index in (0, 2, 4)]


def test_order_is_that_of_the_text_rather_than_of_the_ranks() -> None:
    text = (
        "Nobody has ever asked about the colour of bananas.\n\n"
        "Small pots hold water that a stove heats slowly.\n\n"
        "Every stove heats kettle and cups until steam rises.\n\n"
        "Without kettle and stove, small cups hold no hot steam."
    )
    paragraphs = text.split("\n\n")
    assert summarise(text, sentences=1) == [paragraphs[2]]
    assert summarise(text, sentences=3) == paragraphs[1:]


@pytest.mark.parametrize(
    "poor",
    [
        "Pots and Pans and Water and Lids",
        "See the water guide for pots and lids.",
        "For more information on water read the guide.",
        "Call boil(water=pots) to boil water in pots.",
        "Read about water and pots at https://pots.example today.",
        "Do you want to boil water in pots?",
        "Water pots " * 30 + "boil.",
        "It also boils water in other pots.",
        "The following shows how water boils in pots.",
    ],
)
def test_what_does_not_read_well_on_its_own_is_left_out(poor: str) -> None:
    good = "Kettle is a library that boils water in pots."
    assert summarise(f"{poor}\n\n{good}") == [good]


def test_sentence_that_leans_on_the_one_before_needs_it() -> None:
    lead = "Kettle is a library that boils water in pots."
    leaning = "It has been made for large kitchens and their cooks."
    assert summarise(f"{lead} {leaning}") == [lead, leaning]
    assert summarise(f"{lead}\n\nA heading\n\n{leaning}") == [lead]


def test_name_of_a_project_is_not_an_instruction() -> None:
    assert summarise("Click is a package for command line interfaces.") == [
        "Click is a package for command line interfaces."
    ]


def test_introduction_of_a_list_ends_with_a_full_stop() -> None:
    assert summarise("Kettle is the best way of boiling water:\n\nFast\n\nLoud") == [
        "Kettle is the best way of boiling water."
    ]


def test_repetition_is_left_out() -> None:
    one = "Kettle is a library that boils water in pots."
    assert summarise(f"{one}\n\n{one}\n\nThe library kettle boils water in pots.") == [one]


def test_number_of_sentences_is_kept() -> None:
    text = "\n\n".join(f"Number{i} pots boil water with stove{i} in kitchen{i}." for i in range(9))
    assert [len(summarise(text, sentences=count)) for count in (0, 1, 5)] == [0, 1, 5]


def test_long_text_takes_no_long_time() -> None:
    words = [f"word{i}" for i in range(500)]
    chooser = random.Random(1)
    text = " ".join(f"Kettle {' '.join(chooser.choices(words, k=12))}." for _ in range(2000))
    assert len(summarise(text)) == 3
