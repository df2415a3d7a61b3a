"""What the live view of a workflow that is higher than the terminal shows."""

from __future__ import annotations

import pytest

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.board_view import BoardView
from tests.cli.flows import T0
from tests.cli.pictures import event, layers, lines, rendered, status


def test_steps_that_fit_exactly_are_not_folded_and_one_more_is() -> None:
    picture = BoardView(layers(19)).at(T0)
    assert len(lines(picture, height=24)) == 24
    assert "store-4" in rendered(picture, height=24)
    picture = BoardView(layers(20)).at(T0)
    assert lines(picture, height=24)[5].split() == ["actor", "done", "states"]
    assert "store-4" not in rendered(picture, height=24)


@pytest.mark.parametrize("size", [300, 3_000])
def test_a_large_workflow_is_folded_by_actor_and_depth(size: int) -> None:
    board = layers(size)
    part = size // 3
    for n in range(part):
        board.apply(event(f"fetch-{n}", "completed", n, duration=1))
    board.apply(event("parse-0", "executing", part))
    board.apply(event("parse-1", "executing", part + 1))
    board.apply(event("parse-2", "discarded", part + 2, error="ValueError: no"))
    shown = lines(BoardView(board).at(T0 + 100_000))
    assert len(shown) == 24
    groups = [line.split() for line in shown[6:9]]
    assert [(group[0], group[2], group[3]) for group in groups] == [
        ("1", "fetch", f"{part:,}/{part:,}"),
        ("2", "parse", f"1/{part:,}"),
        ("3", "store", f"0/{part:,}"),
    ]
    assert shown[7].split()[-6:] == ["✗", "1", "●", "2", "○", f"{part - 3:,}"]
    text = "\n".join(shown)
    assert "\n failed 1\n ✗ parse-2 " in text
    assert "\n running 2\n ⠋ parse-0 " in text
    assert f"completed {part:,}, the latest " in text
    assert f"✓ fetch-{part - 1} " in text
    assert f"✓ {part:,} completed" in " ".join(text.split())
    assert f"· {part:,} pending" in " ".join(text.split())


def test_a_deep_workflow_is_folded_by_actor_alone() -> None:
    actors = [f"a{n}" for n in range(3)]
    chain = Board(status([(str(n), actors[n % 3], [str(n - 1)] if n else []) for n in range(300)]))
    chain.apply(event("0", "executing", 1))
    assert [line.split()[:3] for line in lines(BoardView(chain).at(T0))[6:9]] == [
        ["⠋", "a0", "0/100"],
        ["·", "a1", "0/100"],
        ["·", "a2", "0/100"],
    ]


def test_actors_that_do_not_fit_are_summed_up() -> None:
    board = Board(status([(str(n), f"a{min(n, 99)}", []) for n in range(200)]))
    board.apply(event("50", "discarded", 1))
    shown = lines(BoardView(board).at(T0))
    assert shown[6].split()[:3] == ["○", "a99", "0/101"]
    (others,) = [line for line in shown if "other actors" in line]
    assert others.split()[:5] == ["○", "97", "other", "actors", "1/97"]


def test_running_steps_are_listed_longest_first_and_failed_ones_latest_first() -> None:
    board = layers(300)
    for n in range(90):
        board.apply(event(f"fetch-{n}", "executing" if n < 50 else "discarded", n))
    shown = lines(BoardView(board).at(T0 + 1000), height=40)
    failed = next(number for number, line in enumerate(shown) if line.startswith(" failed 40, the latest "))
    running = next(
        number for number, line in enumerate(shown) if line.startswith(" running 50, the longest ")
    )
    assert [line.split()[1] for line in shown[failed + 1 : failed + 3]] == ["fetch-89", "fetch-88"]
    assert [line.split()[1] for line in shown[running + 1 : running + 3]] == ["fetch-0", "fetch-1"]
    assert int(shown[failed].split()[-1]) == running - failed - 2
    assert len(shown) == 40


def test_the_view_keeps_its_place_while_fewer_steps_run_for_a_moment() -> None:
    board = layers(300)
    view = BoardView(board)
    for n in range(5):
        board.apply(event(f"fetch-{n}", "executing", n))

    def place(now_ms: int) -> int:
        shown = lines(view.at(now_ms))
        return next((n for n, line in enumerate(shown) if line.startswith(" completed")), 0)

    board.apply(event("fetch-9", "completed", 9))
    before = place(T0 + 10)
    for n in range(5):
        board.apply(event(f"fetch-{n}", "completed", 20))
    assert place(T0 + 30) == before
    assert place(T0 + 20_000) < before
