"""The graph of a workflow: its steps, their deps, and what makes a graph a valid one."""

from __future__ import annotations

import graphlib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from operator import attrgetter
from typing import Any, NamedTuple

from msgpack import packb

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
    LLM = 32  #: it spends money: a budget that is spent stops it. (16 is a record's own, see lua/shared/keys.lua)


class Content(NamedTuple):
    """What a message carries. Where a result of another step belongs, there is a placeholder."""

    args: Sequence[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class Json(NamedTuple):
    """The same as JSON: what is between the braces of an object with ``args`` and ``kwargs``, and of the options."""

    arguments: str
    options: str

    def decoded(self) -> Content:
        """Raises ``ValueError`` if it isn't JSON."""
        found = json.loads(f'{{{self.arguments},"options":{{{self.options}}}}}')
        return Content(found["args"], found["kwargs"], found["options"])


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
      content: The message's args, kwargs and options. As JSON, if Dramatiq encodes messages so: what is between the
        braces of an object with ``args`` and ``kwargs``, and of one with the options. Where a result belongs,
        ``refs`` says so.
      refs: For each result that is passed on: the path to its place, and the dep's name. ``deps`` begins with them.
      delay: How long it waits once its deps have settled, in milliseconds.
      lane: What its actor calls a provider by: steps of one lane share what is learnt of the provider's limits. Empty
        for a step that calls none.
      quorum: How many of its deps must complete for it to run; 0 if its flags alone say which.
    """

    name: str
    actor: str
    queue: str
    flags: StepFlags
    deps: tuple[str, ...]
    position: int
    message_id: str
    content: Content | Json
    refs: tuple[tuple[Path, str], ...] = ()
    delay: int = 0
    lane: str = ""
    quorum: int = 0


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
    for step in sorted(steps, key=attrgetter("name")):
        content = step.content
        in_order = (
            _json_in_order(content)
            if isinstance(content, Json)
            else encode(_in_order(content), step=step.name)
        )
        refs = sorted((packb(path), dep) for path, dep in step.refs)
        said = [step.name, step.actor, step.queue, int(step.flags), sorted(step.deps), in_order, refs]
        # What an earlier release knew nothing of is left out where it says nothing: there, the digest is the same.
        said += [[what, value] for what, value in (("delay", step.delay), ("quorum", step.quorum)) if value]
        digest.update(packb(said))
    return digest.hexdigest()


def _json_in_order(content: Json) -> list[str]:
    """JSON with its objects' keys in order. Most has none to bring in order."""
    if (
        content.arguments.endswith('"kwargs":{}')
        and content.arguments.count("{") == 1
        and not content.options
    ):
        return list(content)
    found = content.decoded()
    return [json.dumps(part, sort_keys=True) for part in found]


def _in_order(value: Any) -> Any:
    """A value with its dicts' keys in order, so that equal ones are encoded equally."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=encode)}
    if isinstance(value, list | tuple):
        return [_in_order(item) for item in value]
    return value
