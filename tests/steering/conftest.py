"""Worlds without workers but those that a test starts, and steps that are settled by hand."""

from __future__ import annotations

from tests.support.own import by_hand, log, own_world  # noqa: F401
