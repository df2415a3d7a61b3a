"""Random graphs, and what must come of them. A graph depends on nothing but the seed and its number."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dramatiq_baton import Workflow

#: As many as a step that is ordered to fail needs at most: were one counted twice, it would be discarded.
MAX_RETRIES = 2

VERBS = ("value", "fail", "snooze", "discard", "cancel")
SHARES = (66, 14, 12, 4, 4)


def value_of(own: int, inputs: Mapping[str, int | None]) -> int:
    """What a step computes from its own number and its deps' values."""
    return zlib.crc32(repr((own, sorted(inputs.items()))).encode())


@dataclass(frozen=True)
class Node:
    """One step.

    Attributes:
      name: Its name.
      verb: What it answers, one of :data:`VERBS`.
      times: How often it fails or snoozes at most.
      own: The number that its value is computed from.
      busy: Milliseconds that it takes.
      inputs: The deps whose results it is given.
      after: The deps that it only comes after.
      ignore_discarded, ignore_cancelled: As for ``Workflow.add``.
      is_async: Whether its actor is.
    """

    name: str
    verb: str
    times: int
    own: int
    busy: int
    inputs: tuple[str, ...]
    after: tuple[str, ...]
    ignore_discarded: bool
    ignore_cancelled: bool
    is_async: bool


@dataclass(frozen=True)
class Expected:
    """What must become of a workflow: its outcome, and each step's state and value."""

    outcome: str
    states: dict[str, str]
    values: dict[str, int]


@dataclass(frozen=True)
class Graph:
    """One workflow.

    Attributes:
      id: Its id, which names seed and number.
      nodes: Its steps, deps first.
      dispatch: As for ``Workflow.run``.
      cancelled_after: Behind how many events an operator cancels it, to retry it later; ``None`` for never.
    """

    id: str
    nodes: tuple[Node, ...]
    dispatch: Literal["ready", "eager"]
    cancelled_after: int | None

    @classmethod
    def random(cls, seed: int, number: int) -> Graph:
        """The graph of a number."""
        rng = random.Random(f"graph {seed} {number}")
        nodes: list[Node] = []
        for index in range(rng.randint(3, 12)):
            names = [node.name for node in nodes]
            inputs = rng.sample(names, min(len(names), rng.choices((0, 1, 2, 4), (15, 45, 30, 10))[0]))
            others = [name for name in names if name not in inputs]
            after = rng.sample(others, min(len(others), rng.choices((0, 1), (75, 25))[0]))
            nodes.append(
                Node(
                    name=f"step{index}",
                    verb=rng.choices(VERBS, SHARES)[0],
                    times=rng.randint(1, MAX_RETRIES),
                    own=rng.randrange(1 << 30),
                    busy=rng.choices((0, rng.randint(1, 100), rng.randint(300, 1500)), (35, 50, 15))[0],
                    inputs=tuple(inputs),
                    after=tuple(after),
                    ignore_discarded=rng.random() < 0.4,
                    ignore_cancelled=rng.random() < 0.4,
                    is_async=rng.random() < 0.25,
                )
            )
        dispatch: Literal["ready", "eager"] = "eager" if rng.random() < 0.2 else "ready"
        cancelled_after = rng.randint(1, 2 * len(nodes)) if rng.random() < 0.3 else None
        return cls(f"chaos-{seed}-{number}", tuple(nodes), dispatch, cancelled_after)

    def workflow(self, actors: Any) -> Workflow:
        """The workflow, of the actors of :mod:`tests.chaos.actors`."""
        flow = Workflow("chaos", id=self.id)
        refs: dict[str, Any] = {}
        for node in self.nodes:
            actor = actors.compute_async if node.is_async else actors.compute
            inputs = {name: refs[name] for name in node.inputs}
            refs[node.name] = flow.add(
                node.name,
                actor.message(node.verb, node.times, node.own, node.busy, inputs),
                deps=node.after,
                ignore_discarded=node.ignore_discarded,
                ignore_cancelled=node.ignore_cancelled,
            )
        return flow

    def expected(self) -> Expected:
        """What must become of it, whatever happens to workers and server."""
        states: dict[str, str] = {}
        values: dict[str, int] = {}
        for node in self.nodes:
            deps = {states[name] for name in (*node.inputs, *node.after)}
            ignored = {"completed"}
            ignored |= {"discarded"} if node.ignore_discarded else set()
            ignored |= {"cancelled"} if node.ignore_cancelled else set()
            if deps - ignored:
                states[node.name] = "cancelled"
            elif node.verb in ("discard", "cancel"):
                states[node.name] = {"discard": "discarded", "cancel": "cancelled"}[node.verb]
            else:
                states[node.name] = "completed"
                values[node.name] = value_of(node.own, {name: values.get(name) for name in node.inputs})
        ends = states.values()
        outcome = "failed" if "discarded" in ends else "cancelled" if "cancelled" in ends else "completed"
        return Expected(outcome, states, values)
