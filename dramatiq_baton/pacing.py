"""Waiting for the turn that the gate has given a step which calls a provider: see ``store/lua/shared/pacing.lua``.

The step has its lease by then. Turns that are far away are waited for elsewhere: such a step is snoozed.
"""

from __future__ import annotations

import time

from dramatiq.middleware import TimeLimitExceeded

from .interruption import StepCancelled
from .outcomes import Snooze
from .step import Step

#: How long it may take until an exception that another thread raises in this one arrives, in seconds.
PIECE = 0.05


def wait_for_turn(turn: float, step: Step, *, snooze_delay: int) -> None:
    """Sleep until a step's turn has come.

    Parameters:
      turn: When that is, in seconds of ``time.monotonic()``; 0 for now.
      step: The step.
      snooze_delay: For how long it is snoozed if its time limit is over before, in milliseconds.

    Raises:
      StepCancelled: If the step is cancelled meanwhile: it must not call.
      Snooze: If its time limit is over: that is meant for the call, and takes no retry.
      Interrupt: If the thread is interrupted otherwise, as in the actor itself.
    """
    try:
        while (left := turn - time.monotonic()) > 0:
            time.sleep(min(left, PIECE))
            if step.cancelled:
                raise StepCancelled
    except TimeLimitExceeded:
        raise Snooze(snooze_delay, "its time limit was over before its turn came") from None
