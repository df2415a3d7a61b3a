"""What dramatiq-baton is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .results import Results

#: So many commands a second more or less are chance: a timer that fell into the one count or the other.
CHANCE = 0.5


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
      title: What it is about.
      unit: The unit of the limit and of what was measured.
      limit: What is to be reached.
      lower: Whether by being at or below it.
      measure: Gets what was measured out of the results; ``None`` if it wasn't.
    """

    title: str
    unit: str
    limit: float
    lower: bool
    measure: Callable[[Results], float | None]

    def met(self, results: Results) -> bool | None:
        """Whether it is reached; ``None`` if that wasn't measured."""
        measured = self.measure(results)
        if measured is None:
            return None
        return measured <= self.limit if self.lower else measured >= self.limit


def _quotient(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _of(workload: str) -> Callable[[Results], float | None]:
    return lambda results: results.median(workload)


def _beside(workload: str, peer: str) -> Callable[[Results], float | None]:
    """Ours as a multiple of a peer's."""
    return lambda results: _quotient(results.median(workload), results.median(workload, peer))


def _growth(results: Results) -> float | None:
    return _quotient(results.median("growth-100000"), results.median("growth-1000"))


def _longest(results: Results) -> float | None:
    found = [longest["median_us"] / 1000 for _, longest in results.longest()]
    return max(found, default=None)


GOALS = (
    Goal("chain of 200, beside Dramatiq's pipeline", "×", 1 / 12, True, _beside("chain", "dramatiq")),
    Goal("chain of 200, beside huey", "×", 0.5, True, _beside("chain", "huey")),
    Goal("hop after a step of 1 s", "ms", 5, True, _of("hop")),
    Goal("1 → 1000 → 1, 1 process, beside huey", "×", 1.75, False, _beside("fan-1", "huey")),
    Goal("1 → 1000 → 1, 2 processes, beside huey", "×", 2, False, _beside("fan-2", "huey")),
    Goal("200 diamonds, 1 process, beside huey", "×", 1.5, False, _beside("diamonds-1", "huey")),
    Goal("200 diamonds, 2 processes, beside huey", "×", 1.5, False, _beside("diamonds-2", "huey")),
    Goal("run() of 10,000 steps", "steps/s", 50_000, False, _of("submit")),
    Goal("a pending step", "bytes", 350, True, _of("pending")),
    Goal("a settled step with its events", "bytes", 700, True, _of("settled")),
    Goal("steps/s at 100,000 steps, beside 1,000", "×", 0.8, False, _growth),
    Goal("longest single script or command, median of the rounds", "ms", 5, True, _longest),
    Goal("an idle worker process", "commands/s", 3, True, _of("idle")),
    Goal("1,000 blocked steps instead of one", "commands/s", CHANCE, True, _of("blocked")),
)
