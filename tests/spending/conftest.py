"""Labs for tests of what calls to providers cost."""

from __future__ import annotations

from tests.support.own import by_hand, lab, log, make_lab, own_world, split_lab, split_world, state_server

__all__ = ["by_hand", "lab", "log", "make_lab", "own_world", "split_lab", "split_world", "state_server"]
