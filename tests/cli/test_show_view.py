"""What ``show`` puts on a terminal, by size of the workflow and of the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.show_view import MOST_STEPS, lines
from tests.cli.flows import T0
from tests.cli.pictures import brief, event, hostile_board, layers, status


def shown(board: Board, width: int = 80, *, everything: bool = False) -> list[str]:
    return [line.plain.rstrip() for line in lines(board, T0 + 5000, width, everything=everything)]


def listed(found: list[str]) -> int:
    """How many steps of `layers` have a line of their own."""
    return sum(line[3:9] in ("fetch-", "parse-", "store-") for line in found)


@pytest.mark.parametrize("size", [300, 30_000])
def test_a_large_workflow_is_summed_up_and_the_last_line_tells_of_all(size: int) -> None:
    board = layers(size)
    board.apply(event("fetch-1", "discarded", 3, reason="refused"))
    board.apply(event("fetch-2", "executing", 3))
    found = shown(board)
    assert len(found) < 30
    assert any(line.startswith(" failed 1") for line in found)
    assert any("fetch-1 " in line and "refused" in line for line in found)
    assert any("fetch-2 " in line and "executing" in line for line in found)
    assert found[-1] == f" --all shows every one of the {size:,} steps"


def test_of_many_failed_steps_so_many_are_listed() -> None:
    board = layers(300)
    for n in range(50):
        board.apply(event(f"fetch-{n}", "discarded", n, reason="refused"))
    found = shown(board)
    assert " failed 50, the latest 10" in found
    assert sum("refused" in line for line in found) == 10


def test_where_nothing_failed_the_cancelled_steps_are_listed() -> None:
    board = layers(300)
    board.apply(event("fetch-1", "cancelled", 3, reason="no longer wanted"))
    assert any("no longer wanted" in line for line in shown(board))


def test_all_shows_every_step() -> None:
    assert listed(shown(layers(300), everything=True)) == 300


def test_up_to_a_hundred_steps_each_has_its_line() -> None:
    most, more = shown(layers(MOST_STEPS)), shown(layers(MOST_STEPS + 1))
    assert (listed(most), listed(more)) == (MOST_STEPS, 0)


def test_a_reason_that_does_not_fit_beside_its_step_stands_below_it() -> None:
    board = Board(status([("fetch", "fetch", [])]))
    reason = " ".join(f"word{n}" for n in range(20))
    board.apply(event("fetch", "discarded", 3, reason=reason))
    assert not any("word0" in line for line in shown(board) if "fetch " in line)
    assert "".join(line[5:] for line in shown(board)[-2:]).replace(" ", "") == reason.replace(" ", "")
    assert any("word19" in line for line in shown(board, 250) if "fetch " in line)


@pytest.mark.parametrize("width", [1, 20, 79, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("times", [1, 9])
def test_nothing_is_wider_than_the_terminal_where_it_is_of_a_usual_width(width: int, times: int) -> None:
    found = shown(hostile_board(times), width)
    assert not any("\x1b" in line for line in found)
    if width >= 79:
        assert max(map(cell_len, found)) <= width


def test_a_picture_that_stands_still_has_no_spinner() -> None:
    assert any(line.startswith(" ● keywords") for line in shown(brief()))
