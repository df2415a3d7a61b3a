"""Labs, worlds without workers but those that a test starts, and steps that are started by hand."""

from __future__ import annotations

from tests.support.own import (  # noqa: F401
    by_hand,
    lab,
    log,
    make_lab,
    own_world,
    split_lab,
    split_world,
    state_server,
)
