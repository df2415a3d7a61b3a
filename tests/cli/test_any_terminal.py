"""In any terminal and with any text, a picture stays within its bounds and does no harm."""

from __future__ import annotations

import io
import unicodedata

import pytest
from rich.cells import cell_len
from rich.console import Console

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.board_view import BoardView
from dramatiq_baton.cli.overview import Overview
from dramatiq_baton.cli.overview_view import OverviewView
from dramatiq_baton.cli.text import BIDI_CONTROLS
from tests.cli.flows import T0
from tests.cli.pictures import brief, event, hostile_board, hostile_overview, layers, lines, rendered, status

# Both sides of the widths at which the layout changes, and the heights at which something no longer fits.
SIZES = [
    *((80, height) for height in (1, 3, 6, 10, 24, 60)),
    *((width, 24) for width in (1, 7, 39, 120, 200)),
    *((1, 1), (2, 6), (20, 10), (40, 3), (79, 60), (119, 60), (120, 10), (200, 60)),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "view",
    [
        BoardView(brief()),
        BoardView(layers(300)),
        BoardView(hostile_board()),
        BoardView(hostile_board(9)),
        BoardView(Board(status([]))),
        OverviewView(hostile_overview()),
        OverviewView(Overview()),
    ],
    ids=["brief", "layers", "hostile", "many hostile", "empty", "hostile overview", "empty overview"],
)
def test_nothing_is_wider_or_higher_than_the_terminal(
    view: BoardView | OverviewView, width: int, height: int
) -> None:
    shown = lines(view.at(T0 + 1000), width, height)
    assert 1 <= len(shown) <= height
    assert max(map(cell_len, shown)) <= width


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("height", [24, 60])
@pytest.mark.parametrize(
    "view", [BoardView(hostile_board()), BoardView(hostile_board(9)), OverviewView(hostile_overview())]
)
def test_no_name_or_reason_gets_a_control_code_through(
    view: BoardView | OverviewView, width: int, height: int
) -> None:
    plain = rendered(view.at(T0 + 1000), width, height)
    assert not [char for char in plain if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]
    assert not BIDI_CONTROLS.intersection(plain)
    ours = rendered(view.at(T0 + 1000), width, height, ansi=True)
    assert {part.split("m")[0] for part in ours.split("\x1b")[1:]} <= {
        f"[{code}" for code in ("0", "1", "2", "31", "32", "33", "34", "35", "36", "1;31")
    }
    ours.encode()


def test_names_that_look_like_markup_or_emoji_codes_are_shown_as_they_are() -> None:
    shown = rendered(BoardView(hostile_board()).at(T0 + 1000), 200, 60)
    assert "[bold]markup[/bold] " in shown
    assert ":rocket: [link=http://x]y[/link] " in shown
    assert "␛[31mred␛[2J " in shown
    assert "🚀 emoji 👨‍👩‍👧‍👦 ❤️ " in shown


def test_columns_stay_in_line_behind_wide_characters() -> None:
    board = Board(status([("日本語", "a", []), ("plain", "a", [])]))
    wide, plain = lines(BoardView(board).at(T0))[-2:]
    assert cell_len(wide[: wide.index("queued")]) == cell_len(plain[: plain.index("queued")])


def test_a_terminal_without_unicode_gets_ascii() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    console = Console(file=file, width=80, height=24, color_system=None, legacy_windows=False, _environ={})
    board = brief()
    board.apply(event("日本", "executing", 9))
    console.print(BoardView(board).at(T0 + 2600))
    file.seek(0)
    shown = file.read()
    assert shown.isascii()
    assert "v fetch         completed" in shown
    assert "* ??" in shown
    assert " ===" in shown
