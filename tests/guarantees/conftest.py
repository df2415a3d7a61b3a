"""What the guarantees' tests share."""

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
