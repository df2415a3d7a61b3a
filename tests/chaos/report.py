"""What came out of a round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .watch import Watch


class Report:
    """Counts, and says which workflows went wrong and how.

    Parameters:
      watches: All workflows.
      faults: How often each kind of fault was done.
    """

    def __init__(self, watches: Sequence[Watch], faults: Counter[str]) -> None:
        self._watches = watches
        self._faults = faults
        self._lost = [watch for watch in watches if not watch.finished or watch.ends == 0]
        self._wrong = [watch for watch in watches if watch.wrong]
        self._twice = [watch for watch in watches if watch.ends > max(1, watch.starts)]

    @property
    def good(self) -> bool:
        return bool(self._watches) and not (self._lost or self._wrong or self._twice)

    def table(self) -> str:
        rows = {
            "workflows": len(self._watches),
            "steps": sum(len(watch.graph.nodes) for watch in self._watches),
            "kills": self._faults["kill"],
            "stops": self._faults["stop"],
            "pauses": self._faults["pause"],
            "server restarts": self._faults["restart"],
            "cuts": self._faults["cut"],
            "slow lines": self._faults["slow"],
            "re-executions": sum(watch.again for watch in self._watches),
            "lost": len(self._lost),
            "wrong results": len(self._wrong),
            "finished twice": len(self._twice),
        }
        return "\n".join(f"{name:<16}{count:>8}" for name, count in rows.items())

    def complaints(self) -> list[str]:
        """One line for everything that went wrong, with the workflow's id."""
        lines = [f"lost: {watch.graph.id} {watch.error}".rstrip() for watch in self._lost]
        lines += [f"wrong: {watch.graph.id}: {what}" for watch in self._wrong for what in watch.wrong]
        return lines + [f"finished {watch.ends} times: {watch.graph.id}" for watch in self._twice]
