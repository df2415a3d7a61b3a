"""Submitting a workflow: all of it at once, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..errors import CorruptData, StoreUnavailable
from ..graph import Graph
from .records import LIST_LENGTH, pack_names, pack_spec
from .replies import Spread, newer_schema, spread_from, text
from .scripts import script
from .spending import budget_units
from .store import Store
from .talks import Spoken, Talk

#: Steps that are sent in one command.
PORTION = 200
#: How long a half-submitted workflow stays before it expires, in milliseconds.
STAGED_TTL = 10 * 60 * 1000

Pairs = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Packed:
    """A graph as it is stored. Packing a large one takes a while, and asks nothing.

    Attributes:
      digest: Tells one graph from another.
      total: The number of its steps.
      root_lists: The number of lists in which the names of its roots are kept.
      steps: What is stored of each step, by name.
      edges: The lists of names, and what of a step isn't in ``steps``.
      is_new: Whether there is something in it that 0.1.0 knows nothing of.
    """

    digest: str
    total: int
    root_lists: int
    steps: Pairs
    edges: Pairs
    is_new: bool


def pack(graph: Graph) -> Packed:
    """Make of a graph what is stored of it."""
    root_lists = list(_lists(graph.roots))
    steps: Pairs = []
    edges: Pairs = [
        *((f"{number}:", names) for number, names in enumerate(root_lists)),
        *_long_lists(graph),
    ]
    for step in graph.steps:
        spec, body = pack_spec(step, graph.dependents.get(step.name, ()))
        steps.append((step.name, spec))
        if body:
            edges.append((f"body:{step.name}", body))
    is_new = any(step.delay or step.lane or step.quorum for step in graph.steps)
    return Packed(graph.digest, len(graph.steps), len(root_lists), steps, edges, is_new)


@Spoken
def submit(
    store: Store,
    workflow_id: str,
    name: str,
    graph: Graph | Packed,
    *,
    dispatch: str,
    retention: int,
    delay: int = 0,
    budget: Decimal | None = None,
    words: str = "",
) -> Talk[Spread]:
    """Start a workflow. See ``lua/submit.lua``.

    A large graph is first staged in portions, under keys that expire by themselves if the submitter
    dies; one script then moves it into place. ``words`` is what the submission carries for observers.

    Returns:
      What the script says: ``created``, ``exists`` or ``differs``; and the steps to send.

    Raises:
      StoreUnavailable: If Redis doesn't answer, or the staging took so long that it expired.
      ConfigurationError: If the id belongs to a workflow that a newer release wrote.
      CorruptData: If another program's data is in the way.
    """
    packed = pack(graph) if isinstance(graph, Graph) else graph
    steps, edges = packed.steps, packed.edges
    nonce = ""
    if len(steps) + len(edges) > PORTION:
        nonce = secrets.token_hex(8)
        staged = f"{store.keys.workflow(workflow_id)}:staged:{nonce}"
        yield from _stage(f"{staged}:steps", steps)
        yield from _stage(f"{staged}:edges", edges)
        steps, edges = [], []
    reply = yield from store.running(
        "submit",
        workflow_id,
        packed.digest,
        name,
        dispatch,
        packed.total,
        retention,
        packed.root_lists,
        nonce,
        delay,
        budget_units(budget),
        _schema(packed, delay, budget),
        2 * len(steps),
        *_flat(steps),
        *_flat(edges),
        words=words,
    )
    if reply[0] == b"foreign":
        raise CorruptData(
            f"workflow {workflow_id!r} can't be started: {text(reply[1])!r} holds what Baton didn't write; "
            "if another program uses the same namespace, choose another one"
        )
    spread = spread_from(workflow_id, reply)
    if spread.word == "newer":
        raise newer_schema(workflow_id)
    if spread.word == "expired":
        raise StoreUnavailable(
            f"submitting workflow {workflow_id!r} took more than {STAGED_TTL // 60_000} minutes; "
            "nothing was started, try again"
        )
    return spread


def _schema(packed: Packed, delay: int, budget: Decimal | None) -> int:
    """The version of the layout that a workflow's data has.

    Workers of 0.1.0 leave a workflow of version 2 alone. They may work on what holds nothing that they don't know, so
    that releases can be mixed while they are deployed.
    """
    return 2 if packed.is_new or delay or budget is not None else 1


def _lists(names: Sequence[str]) -> Iterator[bytes]:
    for start in range(0, len(names), LIST_LENGTH):
        yield pack_names(names[start : start + LIST_LENGTH])


def _long_lists(graph: Graph) -> Iterator[tuple[str, bytes]]:
    for step, names in graph.dependents.items():
        if len(names) > LIST_LENGTH:  # the first list is in the step's spec
            for number, packed in enumerate(_lists(names[LIST_LENGTH:]), start=1):
                yield f"{number}:{step}", packed


def _stage(key: str, pairs: Pairs) -> Talk[None]:
    for start in range(0, len(pairs), PORTION):
        portion = _flat(pairs[start : start + PORTION])
        yield from script("stage").talk([key], [STAGED_TTL, *portion])


def _flat(pairs: Pairs) -> list[str | bytes]:
    return [part for pair in pairs for part in pair]
