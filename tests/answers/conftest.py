"""What the tests of this folder stand on besides the session's worlds."""

from __future__ import annotations

from tests.support.own import lab, log, make_lab, own_world

__all__ = ["lab", "log", "make_lab", "own_world"]
