"""How much of a provider's refusals a step puts up with. Deciding only, as in ``decisions``."""

from __future__ import annotations

from dataclasses import dataclass

from ..decisions import Fail, GiveUp, RunLater, short
from . import backoff
from .refusals import Never, NotNow, meaning_of
from .words import description_of


@dataclass(frozen=True, slots=True)
class FailFor:
    """The attempt failed; if Dramatiq's ``Retries`` grants another one, it begins after ``delay`` ms."""

    fail: Fail
    delay: int


@dataclass(frozen=True, slots=True)
class Patience:
    """What an actor's options say.

    Attributes:
      min_backoff, max_backoff: The bounds of what is waited when nobody names a time, in milliseconds.
      max_refusals: How often in a row a step may be refused and come back.
    """

    min_backoff: int
    max_backoff: int
    max_refusals: int

    def decide(
        self, error: BaseException, *, refusals: int, retries: int, now: float
    ) -> RunLater | GiveUp | FailFor:
        """What an exception means for the step whose actor raised it.

        Parameters:
          error: The exception.
          refusals: How often in a row the step has been refused before.
          retries: How many retries it has had.
          now: The time, in seconds since 1970.
        """
        match meaning_of(error, now=now):
            case NotNow(words=words) if refusals >= self.max_refusals:
                reason = (
                    f"refused {refusals + 1} times in a row, max_refusals is {self.max_refusals}: {words}"
                )
                return GiveUp(short(reason), description_of(error))
            case NotNow(words=words, named=named):
                delay = backoff.growing(refusals, self.min_backoff, self.max_backoff)
                if named is not None:
                    delay = backoff.after(named)
                return RunLater(delay, short(f"refused: {words}"), refusals + 1, refused=named or 0)
            case Never(words=words):
                return GiveUp(short(f"refused for good: {words}"), description_of(error))
            case _:
                delay = backoff.full_jitter(retries, self.min_backoff, self.max_backoff)
                return FailFor(Fail(description_of(error)), delay)
