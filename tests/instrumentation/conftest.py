"""Worlds without workers, and labs, of a test's own."""

from __future__ import annotations

from tests.support.own import by_hand, lab, log, make_lab, own_world

__all__ = ["by_hand", "lab", "log", "make_lab", "own_world"]
