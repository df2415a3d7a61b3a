"""Submitting a workflow: all of it at once, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..errors import CorruptData, StoreUnavailable
from ..graph import Graph
from .records import LIST_LENGTH, pack_names, pack_spec
from .replies import Spread, newer_schema, spread_from, text
from .scripts import script
from .spending import budget_units
from .store import Store

#: Steps that are sent in one command.
PORTION = 200
#: How long a half-submitted workflow stays before it expires, in milliseconds.
STAGED_TTL = 10 * 60 * 1000

Pairs = list[tuple[str, bytes]]


def submit(
    store: Store,
    workflow_id: str,
    name: str,
    graph: Graph,
    *,
    dispatch: str,
    retention: int,
    delay: int = 0,
    budget: Decimal | None = None,
) -> Spread:
    """Start a workflow. See ``lua/submit.lua``.

    A large graph is first staged in portions, under keys that expire by themselves if the submitter
    dies; one script then moves it into place.

    Returns:
      What the script says: ``created``, ``exists`` or ``differs``; and the steps to send.

    Raises:
      StoreUnavailable: If Redis doesn't answer, or the staging took so long that it expired.
      ConfigurationError: If the id belongs to a workflow that a newer release wrote.
      CorruptData: If another program's data is in the way.
    """
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
    nonce = ""
    if len(steps) + len(edges) > PORTION:
        nonce = secrets.token_hex(8)
        staged = f"{store.keys.workflow(workflow_id)}:staged:{nonce}"
        _stage(store, f"{staged}:steps", steps)
        _stage(store, f"{staged}:edges", edges)
        steps, edges = [], []
    reply = store.run(
        "submit",
        workflow_id,
        graph.digest,
        name,
        dispatch,
        len(graph.steps),
        retention,
        len(root_lists),
        nonce,
        delay,
        budget_units(budget),
        _schema(graph, delay, budget),
        2 * len(steps),
        *_flat(steps),
        *_flat(edges),
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


def _schema(graph: Graph, delay: int, budget: Decimal | None) -> int:
    """The version of the layout that a workflow's data has.

    Workers of 0.1.0 leave a workflow of version 2 alone. They may work on what holds nothing that they don't know, so
    that releases can be mixed while they are deployed.
    """
    is_new = (
        delay or budget is not None or any(step.delay or step.lane or step.quorum for step in graph.steps)
    )
    return 2 if is_new else 1


def _lists(names: Sequence[str]) -> Iterator[bytes]:
    for start in range(0, len(names), LIST_LENGTH):
        yield pack_names(names[start : start + LIST_LENGTH])


def _long_lists(graph: Graph) -> Iterator[tuple[str, bytes]]:
    for step, names in graph.dependents.items():
        if len(names) > LIST_LENGTH:  # the first list is in the step's spec
            for number, packed in enumerate(_lists(names[LIST_LENGTH:]), start=1):
                yield f"{number}:{step}", packed


def _stage(store: Store, key: str, pairs: Pairs) -> None:
    for start in range(0, len(pairs), PORTION):
        portion = _flat(pairs[start : start + PORTION])
        script("stage")(store.connections, [key], [STAGED_TTL, *portion])


def _flat(pairs: Pairs) -> list[str | bytes]:
    return [part for pair in pairs for part in pair]
