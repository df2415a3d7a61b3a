"""``dramatiq-baton prune``: remove finished workflows before their retention is over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import click

from ..states import WorkflowState
from ..store import catalogue, steering
from ..store.catalogue import Entry
from ..store.steering import Pruned
from ..store.store import Store
from .looks import WORKFLOW_LOOKS
from .printing import print_lines
from .since import ago_option
from .target import Target
from .text import counted, moment

#: The states that a workflow may be pruned in.
FINISHED = tuple(state for state in WorkflowState if state.finished)


@click.command("prune")
@ago_option("--older-than", help="Only workflows that finished longer ago than that.", required=True)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in FINISHED]),
    help="Only workflows in that state; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: counts by state, ids.")
@click.pass_obj
def command(target: Target, older_than: int, states: Sequence[str], dry_run: bool, as_json: bool) -> int:
    """Remove finished workflows, with their results and events.

    A workflow that runs is never touched, nor one that is retried meanwhile.

    \b
    Example:
      dramatiq-baton prune --older-than 3d --dry-run
      dramatiq-baton prune --older-than 12h --state completed
    """
    store = target.open()
    wanted = [WorkflowState(state) for state in states] or FINISHED
    taken: Counter[WorkflowState] = Counter()
    ids = []
    for entry in _candidates(store, wanted, older_than):
        if dry_run or steering.prune(store, entry.id, finished_before=older_than) is Pruned.PRUNED:
            taken[entry.state] += 1
            ids.append(entry.id)
    if as_json:
        told = {"dry_run": dry_run, "finished_before": older_than, "pruned": len(ids)}
        click.echo(json.dumps({**told, "by_state": taken, "ids": ids}))
    else:
        print_lines(_told(taken, older_than, dry_run=dry_run))
    return 0


def _candidates(store: Store, states: Sequence[WorkflowState], finished_before: int) -> Iterator[Entry]:
    # Whatever had finished by then had been submitted by then.
    for entry in catalogue.entries(store, states=states, until=finished_before):
        if entry.finished_at is not None and entry.finished_at <= finished_before:
            yield entry


def _told(taken: Counter[WorkflowState], finished_before: int, *, dry_run: bool) -> Iterator[str]:
    what = "would remove" if dry_run else "removed"
    total = counted(taken.total(), "workflow")
    by_state = ", ".join(
        f"{WORKFLOW_LOOKS[state][0]} {taken[state]:,} {state}" for state in FINISHED if taken[state]
    )
    yield f"{what} {total} that finished before {moment(finished_before)}" + (
        f": {by_state}" if by_state else ""
    )
