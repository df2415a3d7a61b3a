"""Ctrl-C while the live view waits for events: wherever it arrives, it is Ctrl-C that comes out."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from dramatiq_baton.cli.live import _Feed
from dramatiq_baton.store.store import Store
from dramatiq_baton.store.streams import EventReader
from tests.support.world import World


class Interruption:
    """Raises ``KeyboardInterrupt`` at one line of what is called, however deep, as a signal's handler would.

    Parameters:
      at: The number of that line, in the order in which they are run.
    """

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, frame: FrameType, event: str, _: Any) -> Interruption:
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


def test_wherever_it_is_interrupted_ctrl_c_comes_out(valkey_world: World) -> None:
    store = Store(valkey_world.redis, namespace=valkey_world.namespace)
    reader = EventReader(store)
    feed = _Feed(reader, reader.last_id(), lambda: None)
    interrupted = 0
    while True:
        before = sys.gettrace()
        sys.settrace(interruption := Interruption(interrupted + 1))
        try:
            list(feed.take(0.01))
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            sys.settrace(before)
        if interruption.left > 0:  # there are no more lines
            break
    assert interrupted > 1
    store.connections.close()
