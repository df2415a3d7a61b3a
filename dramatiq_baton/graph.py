"""The graph of a workflow: its steps, their deps, and what makes a graph a valid one."""

from __future__ import annotations

import graphlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from .codec import encode
from .errors import CycleError, EmptyWorkflow, UnknownStep

#: The way to a place inside a step's arguments: ``"args"`` or ``"kwargs"``, then indexes and keys.
Path = tuple[str | int, ...]


class StepFlags(IntFlag):
    """What a step does when a dep fails. The scripts know these bits."""

    NONE = 0
    IGNORE_CANCELLED = 1
    IGNORE_DISCARDED = 2
    ON_DEP_CANCELLED = 4  #: its actor has a callback for that
    ON_DEP_DISCARDED = 8


@dataclass(frozen=True, slots=True)
class StepSpec:
    """What a step was added as. It never changes.

    Attributes:
      name: The step's name.
      actor: Its actor's name.
      queue: The queue that its message is sent to.
      flags: See :class:`StepFlags`.
      deps: The names of its deps.
      position: Its place in the order in which steps were added.
      message_id: Its message's id, the same for every sending.
      args: The message's positional arguments; where a result belongs, ``refs`` says so.
      kwargs: The message's keyword arguments, likewise.
      options: The message's options.
      refs: For each result that is passed on: the path to its place, and the dep's name.
    """

    name: str
    actor: str
    queue: str
    flags: StepFlags
    deps: tuple[str, ...]
    position: int
    message_id: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    refs: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """A checked graph.

    Attributes:
      steps: The steps in the order in which they were added.
      dependents: The names of the steps that directly depend on a step, for each that has any.
      roots: The names of the steps without deps.
      digest: The same for two graphs exactly if they are the same but for their messages' ids, in
        whatever order steps, deps and keys were written down.
    """

    steps: tuple[StepSpec, ...]
    dependents: dict[str, list[str]]
    roots: list[str]
    digest: str

    @classmethod
    def of(cls, steps: Iterable[StepSpec], *, workflow: str) -> Graph:
        """Check ``steps`` and link them.

        Raises:
          EmptyWorkflow: If there are none.
          UnknownStep: If a dep isn't among them.
          CycleError: If some of them wait for one another.
        """
        ordered = tuple(steps)
        if not ordered:
            raise EmptyWorkflow(f"workflow {workflow!r} has no steps; add some before you run it")
        names = {step.name for step in ordered}
        dependents: dict[str, list[str]] = {}
        seen: set[str] = set()
        only_backwards = True
        for step in ordered:
            for dep in step.deps:
                if dep not in names:
                    raise UnknownStep(
                        f"step {step.name!r} of workflow {workflow!r} depends on {dep!r}, which isn't a step of it"
                    )
                only_backwards = only_backwards and dep in seen
                dependents.setdefault(dep, []).append(step.name)
            seen.add(step.name)
        if not only_backwards:  # where every dep was added first, there can be no cycle
            _check_for_cycle(ordered, workflow)
        return cls(ordered, dependents, [step.name for step in ordered if not step.deps], _digest(ordered))


def _check_for_cycle(steps: tuple[StepSpec, ...], workflow: str) -> None:
    try:
        graphlib.TopologicalSorter({step.name: step.deps for step in steps}).prepare()
    except graphlib.CycleError as error:
        cycle = " -> ".join(repr(name) for name in error.args[1])
        raise CycleError(f"the steps of workflow {workflow!r} wait for one another: {cycle}") from None


def _digest(steps: tuple[StepSpec, ...]) -> str:
    digest = hashlib.sha256()
    for step in sorted(steps, key=lambda step: step.name):
        content = (
            step.name,
            step.actor,
            step.queue,
            int(step.flags),
            sorted(step.deps),
            _in_order(step.args),
            _in_order(step.kwargs),
            _in_order(step.options),
            sorted((encode(path), dep) for path, dep in step.refs),
        )
        digest.update(encode(content, step=step.name))
    return digest.hexdigest()


def _in_order(value: Any) -> Any:
    """A value with its dicts' keys in order, so that equal ones are encoded equally."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=encode)}
    if isinstance(value, list | tuple):
        return [_in_order(item) for item in value]
    return value
