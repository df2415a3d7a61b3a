"""How deep a step is, whatever its deps."""

from __future__ import annotations

import time

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.depths import depths_of
from tests.cli.flows import check, status


def test_the_depth_of_a_step_is_its_longest_way_from_the_start() -> None:
    assert depths_of({"d": ("a", "c"), "c": ("b",), "b": ("a",), "a": ()}) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_steps_stand_by_depth_and_then_in_the_order_they_were_added_in() -> None:
    board = Board(status({"z": (), "late": "z", "y": (), "early": "y"}))
    assert [row.name for row in board.rows] == ["z", "y", "late", "early"]
    assert board.depths == 2


def test_deps_that_are_unknown_or_named_twice_or_form_a_cycle_do_no_harm() -> None:
    deps = {"a": ("gone",), "b": ("a", "a"), "x": ("y", "b"), "y": ("x",)}
    assert depths_of(deps) == {"a": 0, "b": 1, "x": 2, "y": 2}
    check(Board(status(deps)))


def test_a_chain_of_a_hundred_thousand_steps_has_depths_in_linear_time() -> None:
    chain = {str(n): (str(n - 1),) if n else () for n in range(100_000)}
    began = time.process_time()
    assert depths_of(chain)["99999"] == 99_999
    assert time.process_time() - began < 5
