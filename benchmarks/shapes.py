"""Graphs: those of real scientific workflows, and the one whose growth is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

FOLDER = Path(__file__).with_name("shapes")
NAMES = ("montage", "epigenomics", "1000genome")
#: Steps of one block of :func:`blocks`: one that starts it, the wide middle, one that ends it.
BLOCK = 1000


class WrongOrder(Exception):
    """A step ran before one that it depends on, not at all, or twice."""


@dataclass(frozen=True)
class Shape:
    """A graph of steps.

    Attributes:
      name: What it is called.
      parents: For each step, in an order in which they could run, the steps that it depends on.
    """

    name: str
    parents: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.parents)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """For each step, those that depend on it."""
        found: dict[str, list[str]] = {step: [] for step in self.parents}
        for step, parents in self.parents.items():
            for parent in parents:
                found[parent].append(step)
        return found

    @cached_property
    def levels(self) -> list[list[str]]:
        """The steps by depth: what a system without graphs can run one after another."""
        depth: dict[str, int] = {}
        for step in TopologicalSorter(self.parents).static_order():
            depth[step] = 1 + max((depth[parent] for parent in self.parents[step]), default=-1)
        found: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
        for step in self.parents:
            found[depth[step]].append(step)
        return found

    def check(self, order: Sequence[str]) -> None:
        """Check that every step ran once, and after all that it depends on.

        Raises:
          WrongOrder: If not.
        """
        if len(order) != len(set(order)) or set(order) != set(self.parents):
            raise WrongOrder(f"{self.name}: {len(order)} runs of {len(set(order))} of {len(self)} steps")
        position = {step: index for index, step in enumerate(order)}
        for step, parents in self.parents.items():
            for parent in parents:
                if position[parent] > position[step]:
                    raise WrongOrder(f"{self.name}: {step} ran before {parent}")


@cache
def science(name: str) -> Shape:
    """One of the scientific workflows of :data:`NAMES`."""
    content = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Shape(name, content["parents"])


def blocks(steps: int) -> Shape:
    """``steps`` steps in blocks of :data:`BLOCK`, one after another; in each, one step, 998 beside each other, one."""
    parents: dict[str, list[str]] = {}
    last: list[str] = []
    for block in range(steps // BLOCK):
        first, middle = f"{block}-first", [f"{block}-{number}" for number in range(BLOCK - 2)]
        parents[first] = last
        parents.update((step, [first]) for step in middle)
        last = [f"{block}-last"]
        parents[last[0]] = middle
    return Shape(f"blocks-{steps}", parents)
