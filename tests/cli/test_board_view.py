"""What the live view of one workflow shows while every step has a line."""

from __future__ import annotations

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.board_view import BoardView
from tests.cli.flows import T0
from tests.cli.pictures import brief, event, layers, lines, rendered, row, status


def test_a_small_workflow_has_a_line_for_each_step_by_depth() -> None:
    assert lines(BoardView(brief()).at(T0 + 2600)) == [
        " research-brief  01J8Z3RT6K                                  ⠦ executing  2.6 s",
        " ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╍╍╍╍╍╍╍╍╍╍╍──────────────────────  3/6   50 %",
        " ✓ 2 completed   ✗ 1 discarded   ● 1 executing   ↻ 1 retryable   · 1 pending",
        "",
        "      step          state      try       time  note",
        "  1 ✓ fetch         completed  #1      430 ms",
        "  2 ✓ summary       completed  #1       1.4 s",
        "    ⠦ keywords      executing  #1       2.1 s",
        "    ↻ entities      retryable  #1      300 ms  again in 2.2 s: TimeoutError: n…",
        "    ✗ picture       discarded  #3       1.1 s  ValueError: refused",
        "  3 · brief         pending                    waits for keywords, entities",
    ]


def test_a_wide_terminal_shows_actors_and_whole_reasons() -> None:
    line = row(BoardView(brief()).at(T0 + 2600), "entities", width=200)
    assert " ".join(line.split()) == (
        "↻ entities extract retryable #1 300 ms again in 2.2 s: TimeoutError: no answer"
    )


def test_the_time_of_a_running_step_goes_on_and_that_of_an_ended_one_stands() -> None:
    view = BoardView(brief())
    assert "2.1 s" in row(view.at(T0 + 2600), "keywords")
    assert "1 m 00 s" in row(view.at(T0 + 60_500), "keywords")
    assert "1.4 s" in row(view.at(T0 + 60_500), "summary")
    assert "again any moment: TimeoutError" in row(view.at(T0 + 60_500), "entities")


def test_a_finished_workflow_says_how_it_went_and_its_time_stands() -> None:
    board = brief()
    for step in ("keywords", "entities"):
        board.apply(event(step, "completed", 3000))
    board.apply(event("brief", "cancelled", 3001, attempt=0, reason="dep picture was discarded"))
    board.apply(event("", "workflow_finished", 3001, 0, outcome="failed"))
    shown = lines(BoardView(board).at(T0 + 99_000))
    assert shown[0].split() == ["research-brief", "01J8Z3RT6K", "✗", "failed", "3.0", "s"]
    assert shown[1].endswith("━  6/6  100 %")
    assert "─" not in shown[1]
    assert shown[-1].split(None, 4)[:4] == ["3", "⊘", "brief", "cancelled"]
    assert shown[-1].endswith("dep picture was discarded")


def test_a_stored_result_is_told() -> None:
    board = brief()
    board.apply(event("keywords", "completed", 3000, cached=True))
    assert row(BoardView(board).at(T0 + 4000), "keywords").endswith("the result was stored already")


def test_a_step_behind_a_failed_one_waits_for_nothing_more() -> None:
    board = brief()
    for step in ("keywords", "entities"):
        board.apply(event(step, "completed", 3000))
    assert row(BoardView(board).at(T0 + 4000), "brief").split() == ["3", "·", "brief", "pending"]


def test_many_deps_are_counted_and_not_named() -> None:
    board = Board(
        status([*((str(n), "a", []) for n in range(1000)), ("join", "b", list(map(str, range(1000))))])
    )
    board.apply(event("7", "completed", 1))
    picture = BoardView(board).at(T0, height=2000)
    assert "waits for 999 of 1,000 steps" in rendered(picture, 80, 2000)


def test_all_that_there_is_has_a_place_on_the_bar_and_it_is_full_only_at_the_end() -> None:
    board = layers(3000)
    board.apply(event("fetch-0", "discarded", 1))
    for n in range(1, 999):
        board.apply(event(f"fetch-{n}", "completed", 1))
    board.apply(event("fetch-999", "executing", 1))
    rich = rendered(BoardView(board).at(T0), ansi=True).splitlines()[1]
    assert (
        rich.index("\x1b[32m━") < rich.index("\x1b[1;31m━") < rich.index("\x1b[36m╍") < rich.index("\x1b[2m─")
    )
    for n in range(1000):
        board.apply(event(f"fetch-{n}", "completed", 2))
        board.apply(event(f"parse-{n}", "completed", 2))
        if n:
            board.apply(event(f"store-{n}", "completed", 2))
    assert lines(BoardView(board).at(T0))[1].endswith("─  2,999/3,000   99 %")


def test_a_state_is_told_by_symbol_word_and_colour() -> None:
    ansi = rendered(BoardView(brief()).at(T0 + 2600), ansi=True)
    for part in ("\x1b[32m✓", "\x1b[32mcompleted", "\x1b[1;31m✗", "\x1b[1;31mdiscarded", "\x1b[36mexecuting"):
        assert part in ansi


def test_a_step_that_the_snapshot_did_not_hold_is_shown_at_the_end() -> None:
    board = brief()
    view = BoardView(board)
    board.apply(event("a step with a long name", "executing", 1000))
    assert lines(view.at(T0 + 2000))[-1].startswith("  ? ⠋ a step with a long na…  executing")
