"""The catalogue: which workflows there are, newest first, without looking at all of them."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..states import StepState, WorkflowState
from .keys import SEPARATOR
from .reading import READABLE, damaged, not_found
from .replies import text
from .scripts import script
from .store import Store

#: Entries that are read in one command.
PORTION = 500
#: Workflows whose fields are asked for at a time.
PAGE = 50
#: No workflow was submitted later, in milliseconds since 1970: what stands behind it in an index isn't Baton's.
LATEST = 2**53

#: In this order: what finishes between two looks is seen twice, and not missed.
_STATES = (WorkflowState.EXECUTING, WorkflowState.COMPLETED, WorkflowState.FAILED, WorkflowState.CANCELLED)
_FIELDS = (
    "v",
    "name",
    "state",
    "total",
    "created",
    "started",
    "finished",
    *(f"n:{state}" for state in StepState),
)

#: A workflow's place in the catalogue: when it was submitted, and its member in the index.
_Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A workflow without its steps.

    Attributes:
      id: The workflow's id.
      name: The workflow's name.
      state: See :class:`.WorkflowState`.
      total: The number of steps.
      counts: The number of steps by state; states that no step is in are left out.
      created_at: When it was submitted, in milliseconds since 1970.
      started_at: When its present run began: a retry begins another one.
      finished_at: When it finished, in milliseconds since 1970, or ``None``.
    """

    id: str
    name: str
    state: WorkflowState
    total: int
    counts: dict[StepState, int]
    created_at: int
    started_at: int
    finished_at: int | None


def entries(
    store: Store,
    *,
    states: Sequence[WorkflowState] = (),
    name: str | None = None,
    since: int | None = None,
    until: int | None = None,
    after: str | None = None,
) -> Iterator[Entry]:
    """Iterate over workflows, the one submitted last first.

    What it costs depends on how many are taken, not on how many there are; with ``name`` it depends on how many have
    to be looked at until so many match.

    Parameters:
      store: The store.
      states: Only those in one of these states; in any, if there are none.
      name: Only those whose name matches this shell pattern.
      since, until: Only those submitted then, in milliseconds since 1970.
      after: The id of a workflow to begin behind.

    Raises:
      WorkflowNotFound: If there is no workflow ``after``.
      StoreUnavailable: If Redis doesn't answer.
    """
    behind = None if after is None else _place_of(store, after)
    wanted = [state for state in _STATES if not states or state in states]
    places = heapq.merge(*(_places(store, state, since, until, behind) for state in wanted), reverse=True)
    page: list[str] = []
    last = None
    for place in places:
        workflow_id, _, its_name = place[1].partition(SEPARATOR)
        if place == last or (name is not None and not fnmatchcase(its_name, name)):
            continue
        last = place
        page.append(workflow_id)
        if len(page) == PAGE:
            yield from _entries(store, page, wanted)
            page.clear()
    yield from _entries(store, page, wanted)


def forget(store: Store, workflow_id: str) -> None:
    """Take a workflow that was deleted while it ran out of the catalogue; nothing else can tell that it is gone.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    key, workflow = store.keys.workflows(WorkflowState.EXECUTING), store.keys.workflow(workflow_id)
    pattern = re.sub(r"([*?\[\]\\^])", r"\\\1", workflow_id) + SEPARATOR + "*"
    cursor = b"0"
    while True:
        cursor, flat = store.connections.ask("ZSCAN", key, cursor, "MATCH", pattern, "COUNT", PORTION)
        for member in flat[::2]:
            script("forget")(store.connections, [workflow, key], [member])
        if cursor == b"0":
            return


def tidy(store: Store, *, most: int) -> None:
    """Look whether some of the running workflows do run, and file those that don't. See ``lua/tidy.lua``.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    script("tidy")(store.connections, [store.keys.index], [most])


def _place_of(store: Store, workflow_id: str) -> _Place:
    created, name = store.connections.ask("HMGET", store.keys.workflow(workflow_id), "created", "name")
    if created is None or name is None:
        raise not_found(workflow_id)
    return int(created), f"{workflow_id}{SEPARATOR}{text(name)}"


def _places(
    store: Store, state: WorkflowState, since: int | None, until: int | None, behind: _Place | None
) -> Iterator[_Place]:
    """One state's workflows, in descending order of their places."""
    key = store.keys.workflows(state)
    least = "0" if since is None else str(since)
    most = str(LATEST) if until is None else str(until)
    if behind is not None and (until is None or behind[0] <= until):
        most = str(behind[0])
    seen: set[_Place] = set()  # those with the lowest score so far: the next portion begins with them again
    while True:
        flat = store.connections.ask(
            *("ZREVRANGEBYSCORE", key, most, least, "WITHSCORES", "LIMIT", 0, PORTION + len(seen))
        )
        found = [
            (int(float(score)), text(member)) for member, score in zip(flat[::2], flat[1::2], strict=True)
        ]
        for place in found:
            if place not in seen and (behind is None or place < behind):
                yield place
        if len(found) < PORTION + len(seen):
            return
        lowest = found[-1][0]
        most = str(lowest)
        seen = {place for place in found if place[0] == lowest}


def _entries(store: Store, page: Sequence[str], states: Sequence[WorkflowState]) -> Iterator[Entry]:
    if not page:
        return
    commands = [("HMGET", store.keys.workflow(workflow_id), *_FIELDS) for workflow_id in page]
    for workflow_id, values in zip(page, store.connections.ask_all(commands), strict=True):
        if values[0] not in READABLE:  # it has gone since, or a newer release wrote it
            continue
        try:
            entry = _entry(workflow_id, values)
        except (TypeError, ValueError) as error:
            raise damaged(store, workflow_id, error) from error
        if entry.state in states:  # else it has just changed
            yield entry


def _entry(workflow_id: str, values: Sequence[Any]) -> Entry:
    _, name, state, total, created, started, finished, *counts = values
    return Entry(
        id=workflow_id,
        name=text(name),
        state=WorkflowState(text(state)),
        total=int(total),
        counts={state: int(count) for state, count in zip(StepState, counts, strict=True) if int(count or 0)},
        created_at=int(created),
        started_at=int(started or created),
        finished_at=int(finished) if finished else None,
    )
