"""Text for terminals and pipes: users' names and errors can't do harm, widths and times are right."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from dramatiq_baton.cli.lines import json_line, line
from dramatiq_baton.cli.text import (
    Column,
    Table,
    age,
    clean,
    clock,
    duration,
    fit,
    shorten,
)
from dramatiq_baton.events import Event, EventType

# Lone surrogates too: `st.text()` leaves them out.
any_text = st.text(st.characters(exclude_categories=()))
family = "👨‍👩‍👧‍👦"


def event(kind: EventType = EventType.COMPLETED, **fields: Any) -> Event:
    known: dict[str, Any] = {
        "id": "1700000000123-0",
        "event": kind,
        "workflow_id": "7f3a",
        "workflow_name": "research-brief",
        "step": "fetch",
        "actor": "fetch_page",
        "queue": "default",
        "attempt": 1,
        "ts": 1_700_000_000_123,
    }
    return Event(**(known | fields))


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x00", "␀"),
        ("a\nb\r\nc", "a␊b␍␊c"),
        ("a\tb", "a b"),
        ("\x7f", "␡"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800\udfff", "\\ud800\\udfff"),
    ],
)
def test_what_could_control_the_terminal_becomes_visible(raw: str, shown: str) -> None:
    assert ascii(clean(raw)) == ascii(shown)  # a report could not show a surrogate


@pytest.mark.parametrize("text", ["fetch", "[bold]x[/bold]", "Füße", "日本語", "שלום", family, "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_ordinary_text_and_emoji_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


def obeyed(text: str) -> set[str]:
    """The characters of *text*, in hex, that a terminal obeys instead of showing, or can't be sent."""
    return {
        f"{ord(char):x}"
        for char in set(text)
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or char in "\u061c\u200e\u200f"
    }


def test_no_character_that_there_is_gets_through_if_a_terminal_obeys_it() -> None:
    every_character = "".join(map(chr, range(0x110000)))
    assert len(obeyed(every_character)) == 65 + 2048 + 2 + 12
    assert not obeyed(clean(every_character))


@given(any_text)
def test_cleaned_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert not obeyed(cleaned)
    cleaned.encode()
    assert cleaned.splitlines() in ([], [cleaned])


@given(any_text)
def test_cleaning_takes_each_character_for_itself_and_does_nothing_twice(text: str) -> None:
    assert clean(text) == "".join(map(clean, text))
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp"))))
def test_cleaning_changes_nothing_but_control_and_format_characters(text: str) -> None:
    assert clean(text) == text


@given(any_text, st.integers(-1, 40))
def test_shortened_text_never_takes_more_cells_than_it_may(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= max(width, 0)


@given(st.text(alphabet=["a", "日", "e", "❤", "\ufe0f", "\u200d", "👩", "\u0301"]), st.integers(0, 9))
def test_text_is_cut_only_where_it_does_not_fit(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cell_len(short) <= width
    if cell_len(text) <= width and len(text) <= 8 * width:
        assert short == text
    elif width:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


def test_text_is_cut_by_cells_and_not_by_characters() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("日本語日本", 6) == "日本…"
    assert shorten(f"{family}{family}", 3) == f"{family}…"


def test_characters_without_a_width_can_not_pile_up() -> None:
    pile = "a" + "\u0301" * 1_000_000
    assert len(shorten(pile, 10)) <= 81
    assert len(fit(pile, 10)) <= 81


def test_a_cell_of_a_table_can_not_push_the_next_one_out_of_its_column() -> None:
    table = Table(Column("name", 5), Column("gone", 0), Column("n", 3, right=True))
    assert table.titles().plain == " name     n  "
    assert table.line([("\x1b[1mlong", "red"), "not shown", "7"]).plain == " ␛[1m…    7  "
    assert table.line(["日本語", "", lambda width: Text("=" * width)]).plain == " 日本…  ===  "


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-5, "0 ms"),
        (0, "0 ms"),
        (430, "430 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (1_450, "1.4 s"),
        (59_999, "59.9 s"),
        (60_000, "1 m 00 s"),
        (123_000, "2 m 03 s"),
        (3_599_999, "59 m 59 s"),
        (11_220_000, "3 h 07 m"),
        (86_400_000, "1 d 00 h"),
        (385_200_000, "4 d 11 h"),
    ],
)
def test_durations_are_named_in_at_most_two_units_and_rounded_down(ms: int, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(-1, "0 s"), (59_999, "59 s"), (60_000, "1 m"), (7_300_000, "2 h"), (172_800_000, "2 d")],
)
def test_ages_are_named_in_their_largest_unit(ms: int, words: str) -> None:
    assert age(ms) == words


@pytest.mark.usefixtures("in_berlin")
def test_the_clock_shows_local_time_with_milliseconds() -> None:
    assert clock(1_700_000_000_007) == "23:13:20.007"


def test_a_time_that_is_none_does_no_harm() -> None:
    assert clock(10**30) == "--:--:--.---"


@pytest.mark.usefixtures("in_berlin")
def test_an_event_is_one_line_that_names_what_happened() -> None:
    assert line(event(duration=430)) == (
        "23:13:20.123 7f3a research-brief fetch completed         attempt=1 duration=430ms"
    )
    assert line(event(EventType.RETRYABLE, attempt=2, delay=1500, error='ValueError: "x"')) == (
        "23:13:20.123 7f3a research-brief fetch retryable         attempt=2 delay=1500ms"
        ' error="ValueError: \\"x\\""'
    )
    assert line(event(cached=True, attempt=0, reason="stored")).endswith("attempt=0 cached=1 reason=stored")


@pytest.mark.usefixtures("in_berlin")
def test_an_event_of_the_workflow_has_a_dash_for_the_step() -> None:
    finished = event(
        EventType.WORKFLOW_FINISHED, step="", outcome="failed", duration=9, failed_steps=("a", "b c")
    )
    assert line(finished) == (
        "23:13:20.123 7f3a research-brief - workflow_finished"
        ' outcome=failed duration=9ms failed_steps=a,"b c"'
    )
    assert line(event(EventType.WORKFLOW_STARTED, step="")).endswith(" - workflow_started")


def test_a_name_can_not_pass_for_several_fields() -> None:
    assert line(event(step="x completed attempt=1")).split(" ", 3)[3].startswith('"x completed attempt=1" ')
    assert ' "-" completed' in line(event(step="-"))
    assert ' "a\\\\b c" ' in line(event(step="a\\b c"))


def test_an_event_full_of_control_codes_writes_none() -> None:
    controls = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
    hostile = event(workflow_id=controls, workflow_name=controls, step=controls, reason=controls)
    assert not obeyed(line(hostile) + json_line(hostile))
    assert json.loads(json_line(hostile))["step"] == controls


texts = dict.fromkeys(("workflow_id", "workflow_name", "step", "reason", "error", "outcome"), any_text)


@given(st.fixed_dictionaries(texts), st.tuples(any_text))
def test_no_event_writes_a_control_code_or_a_second_line(fields: dict[str, Any], names: tuple[str]) -> None:
    hostile = event(**fields, failed_steps=names)
    for written in (line(hostile), json_line(hostile)):
        assert not obeyed(written)
        assert len(written.splitlines()) == 1
    assert json_line(hostile).isascii()


@given(st.fixed_dictionaries(texts), st.tuples(any_text))
def test_a_json_line_holds_every_field_of_the_event(fields: dict[str, Any], names: tuple[str]) -> None:
    told = event(**fields, failed_steps=names, cached=True, delay=0, duration=7, worker="host:1")
    assert json.loads(json_line(told)) == told.as_dict()
