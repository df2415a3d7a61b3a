"""Asking Redis until it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dramatiq.middleware import Interrupt

from .errors import StoreUnavailable
from .logs import get_logger

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds

log = get_logger()


def until_answered(ask: Callable[[], T], *, what: str, step: str = "", running: bool = False) -> T:
    """Call ``ask`` until Redis answers, however long that takes.

    What Dramatiq raises in this thread meanwhile (a time limit, a shutdown) is dropped: it was meant for
    the actor, which has answered already, and its answer must not be lost. An actor that still runs gets
    it once Redis has answered.

    Parameters:
      ask: Asks Redis; carrying it out twice must do no harm.
      what: What is being kept until then, for the log.
      step: Whose it is, for the log.
      running: Whether the actor still runs.
    """
    pause, late = 0.0, None
    while True:
        try:
            if pause:
                time.sleep(pause)
            answer = ask()
        except StoreUnavailable as error:
            if not pause:
                log.warning(
                    "Redis doesn't answer; kept until it does", what=what, step=step, error=str(error)
                )
            pause = min(LONGEST_PAUSE, pause * 2 or FIRST_PAUSE)
        except Interrupt as interrupt:
            late = interrupt
        else:
            if pause:
                log.info("Redis answers again", what=what, step=step)
            if running and late is not None:
                raise late
            return answer


def for_a_while(ask: Callable[[], T], *, seconds: float) -> T:
    """Call ``ask`` until Redis answers, but not for longer than ``seconds``.

    Raises:
      StoreUnavailable: If there was no answer by then.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return ask()
        except StoreUnavailable:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
