"""What of a workflow that is higher than the terminal is shown: sums, and the steps that matter most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..states import StepState
from .board import Board, Row
from .looks import LOOKS
from .progress import ActorTally


def groups_of(board: Board, height: int) -> list[ActorTally]:
    """The steps by depth and actor if that takes less than half of *height* lines, else by actor."""
    if len(board.by_depth) <= height // 2:
        return list(board.by_depth.values())
    groups = list(board.by_actor.values())
    if len(groups) <= height // 2:
        return groups
    # So many actors say little. The steps that are listed below say more.
    groups.sort(key=lambda group: -group.total)
    shown = max(height // 4 - 1, 0)
    others = ActorTally(actor=f"{len(groups) - shown:,} {'other ' if shown else ''}actors")
    for group in groups[shown:]:
        others.total += group.total
        for state, count in group.counts.items():
            others.counts[state] += count
    return [*groups[:shown], others]


@dataclass(frozen=True, slots=True)
class Section:
    """A list of those steps that are in certain states."""

    title: str
    states: tuple[StepState, ...]
    first: str

    @property
    def style(self) -> str:
        return LOOKS[self.states[0]][1]

    def total(self, board: Board) -> int:
        return sum(len(board.in_state[state]) for state in self.states)

    def rows(self, board: Board) -> Iterator[Row]:
        for state in self.states:
            rows = board.in_state[state].values()
            yield from reversed(rows) if self.first == "latest" else rows


_COMPLETED = Section("completed", (StepState.COMPLETED,), "latest")
SECTIONS = (
    Section("failed", (StepState.DISCARDED,), "latest"),
    Section("running", (StepState.EXECUTING,), "longest"),
    Section("to be tried again", (StepState.RETRYABLE, StepState.SNOOZED), "latest"),
    _COMPLETED,
)


def share(wishes: Sequence[tuple[Section, int]], room: int) -> tuple[list[tuple[Section, int]], int]:
    """Divide *room* lines among sections; also says how many blank lines go before each.

    Each gets what it wishes for as far as no other is left with less. The completed steps fill what is left,
    at least a line.
    """
    kept = dict(wishes[: max(room, 0) // 2])  # a section is a title and at least one step
    blank = 1 if room >= 5 * len(kept) else 0
    room -= (1 + blank) * len(kept)
    shares = dict.fromkeys(kept, 0)  # keeps their order
    rest = 1 if _COMPLETED in kept else 0
    urgent = sorted(kept.keys() - {_COMPLETED}, key=lambda section: kept[section])
    for index, section in enumerate(urgent):
        shares[section] = min(kept[section], (room - rest) // (len(urgent) - index))
        room -= shares[section]
    if rest:
        shares[_COMPLETED] = min(kept[_COMPLETED], room)
    return list(shares.items()), blank
