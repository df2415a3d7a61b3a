"""What the tests of this folder stand on besides the session's worlds."""

from __future__ import annotations

from tests.support.own import lab, log, make_lab, own_world, split_lab, split_world, state_server

__all__ = ["lab", "log", "make_lab", "own_world", "split_lab", "split_world", "state_server"]
