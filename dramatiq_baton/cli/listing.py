"""``dramatiq-baton list``: which workflows there are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice

import click

from ..states import WorkflowState
from ..store import catalogue
from ..store.catalogue import Entry
from . import listing_view
from .printing import on_terminal, portions, print_lines, print_view
from .since import ago_option
from .target import Target
from .text import clean
from .workflow_id import WorkflowId

# So many workflows share the widths of their columns.
_PORTION = 1_000


@click.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in WorkflowState]),
    help="Only workflows in that state; may be given several times.",
)
@click.option("--name", metavar="PATTERN", help="Only workflows of such a name; * and ? stand for any text.")
@ago_option("--since", help="Only workflows that were submitted no longer ago than that.")
@ago_option("--older-than", help="Only workflows that were submitted longer ago than that.")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(0), help="At most so many; 0 for all."
)
@click.option("--after", metavar="ID", type=WorkflowId(), help="Go on behind that workflow.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array; times are in ms since 1970.")
@click.pass_obj
def command(
    target: Target,
    states: Sequence[str],
    name: str | None,
    since: int | None,
    older_than: int | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> int:
    """List the workflows that are stored, the newest first.

    \b
    Example:
      dramatiq-baton list --state failed --since 2h
      dramatiq-baton list --name 'brief-*' --limit 0 --json | jq -r '.[].id'
    """
    found = catalogue.entries(
        target.open(),
        states=[WorkflowState(state) for state in states],
        name=name,
        since=since,
        until=older_than,
        after=after,
    )
    shown = islice(found, limit) if limit else found
    if as_json:
        print_lines(_json_array(shown))
        return 0
    last = _print(shown)
    if last is None:
        filtered = states or name is not None or since is not None or older_than is not None or after
        why = "try fewer options" if filtered else "finished workflows go when their retention is over"
        click.echo(f"no workflow matches in the namespace {clean(target.namespace)!r}; {why}", err=True)
    elif on_terminal() and next(found, None) is not None:
        click.echo(click.style(f" more: the same with --after={clean(last.id)}", dim=True), err=True)
    return 0


def _print(entries: Iterator[Entry]) -> Entry | None:
    """Print the workflows; returns the last one."""
    now_ms, last = int(time.time() * 1000), None
    for portion in portions(entries, _PORTION):
        first, last = last is None, portion[-1]
        if on_terminal():
            print_view(partial(listing_view.lines, portion, now_ms, titles=first))
        else:
            print_lines(listing_view.plain_lines(portion, now_ms))
    return last


def _json_array(entries: Iterator[Entry]) -> Iterator[str]:
    """A JSON array, a workflow a line, none of which waits for the next."""
    before = "["
    for entry in entries:
        yield before + json.dumps(asdict(entry))
        before = ","
    yield "[]" if before == "[" else "]"
