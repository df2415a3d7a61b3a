"""The live view: a thread reads events, the main thread draws a few times a second."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from rich.console import Console, RenderableType

from ..errors import BatonError, WorkflowNotFound
from ..events import Event
from ..states import WorkflowState
from ..store import reading
from ..store.store import Store
from ..store.streams import EventReader
from .board import Board
from .board_view import BoardView
from .overview import Overview
from .overview_view import OverviewView
from .screen import Screen

#: Seconds between two pictures while events come, and while only the clocks on it run.
FAST, SLOW = 0.1, 0.5
#: Most events taken over before the next picture is drawn.
MOST_EVENTS = 5_000
#: Most events that wait to be taken over, and how long reading pauses when there are as many, in seconds.
MOST_WAITING, PAUSE = 20_000, 0.05

Item = Event | BatonError


class _Shown(Protocol):
    def at(self, now_ms: int) -> RenderableType: ...


def show_workflow(store: Store, workflow_id: str, *, exit_on_finish: bool) -> WorkflowState:
    """Show one workflow until it has finished, or for ever.

    Returns:
      How it ended.
    """
    reader = EventReader(store, workflow_id)
    since = reader.last_id()  # before the snapshot: what happens in between is applied twice, not missed
    board = Board(reading.status(store, workflow_id))

    def ended() -> bool:
        return exit_on_finish and board.finished

    def alive() -> None:
        reading.summary(store, workflow_id)

    _show(BoardView(board), _Feed(reader, since, alive), lambda event: board.apply(event), ended)
    return board.state


def show_all(store: Store, since: str | None) -> None:
    """Show all workflows that events tell of, for ever."""
    reader = EventReader(store)
    overview = Overview()

    def apply(event: Event) -> None:
        overview.apply(event)
        for workflow_id in overview.wanted():
            with suppress(WorkflowNotFound):  # pruned since: what its events tell has to do
                overview.add(reading.status(store, workflow_id))

    feed = _Feed(reader, reader.last_id() if since is None else since, lambda: None)
    _show(OverviewView(overview), feed, apply, lambda: False)


class _Feed:
    """Reads events in a thread of its own.

    Parameters:
      reader: Where from.
      since: Behind which event.
      alive: Called from time to time; raises once there is nothing to read any more.
    """

    def __init__(self, reader: EventReader, since: str, alive: Callable[[], None]) -> None:
        self._reader = reader
        self._position = since
        self._alive = alive
        # Written in C, unlike queue.Queue: Ctrl-C in the middle of a get() leaves no lock in a state that is an error.
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="baton-events", daemon=True).start()

    def take(self, seconds: float) -> Iterable[Event]:
        """Wait for events, at most so many seconds, and iterate over those that have come.

        Raises:
          BatonError: If there can be no more.
        """
        try:
            item = self._items.get(timeout=seconds)
            for _ in range(MOST_EVENTS):
                if isinstance(item, BatonError):
                    raise item
                yield item
                item = self._items.get_nowait()
        except queue.Empty:
            return

    def _run(self) -> None:
        try:
            while True:
                for event in self._reader.read(self._position):
                    self._position = event.id
                    self._items.put(event)
                    while self._items.qsize() >= MOST_WAITING:
                        time.sleep(PAUSE)
                if not self._reader.wait(self._position):
                    self._alive()
        except BatonError as error:
            self._items.put(error)


def _show(view: _Shown, feed: _Feed, apply: Callable[[Event], object], ended: Callable[[], bool]) -> None:
    console = Console()
    with Screen(console) as screen:
        screen.paint(view.at(_now()))
        drawn = time.monotonic()
        while not ended():
            for event in feed.take(max(0.0, drawn + SLOW - time.monotonic())):
                apply(event)
            if time.monotonic() - drawn < FAST:
                continue
            screen.paint(view.at(_now()))
            drawn = time.monotonic()
        screen.paint(view.at(_now()))


def _now() -> int:
    return int(time.time() * 1000)
