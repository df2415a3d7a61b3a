"""``dramatiq-baton watch``: tail events."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from ..events import Event
from ..states import WorkflowState
from ..store import handle, reading
from ..store.store import Store
from ..store.streams import EventReader
from . import live
from .lines import json_line, line
from .since import Since
from .target import Target
from .workflow_id import WorkflowId


@click.command("watch")
@click.argument("workflow_id", required=False, type=WorkflowId())
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--since",
    type=Since(),
    help="Begin that long ago, behind that event, or at the first one (0). "
    "If not given: a workflow's whole story, or what is new in all of them.",
)
@click.option(
    "--exit-on-finish",
    is_flag=True,
    help="End when the workflow has finished: exit 0 if it completed, 1 if it failed or was cancelled.",
)
@click.pass_obj
def command(
    target: Target, workflow_id: str | None, as_json: bool, since: str | None, exit_on_finish: bool
) -> int:
    """Show what happens, in one workflow or in all of them.

    On a terminal it is a live view; in a pipe, one line an event.

    \b
    Example:
      dramatiq-baton watch --since 10m
      dramatiq-baton watch 3f0c2a --json --exit-on-finish | jq .event
    """
    if exit_on_finish and workflow_id is None:
        raise click.UsageError("--exit-on-finish needs a WORKFLOW_ID")
    store = target.open()
    on_terminal = sys.stdout.isatty() and not as_json
    if workflow_id is None:
        if on_terminal:
            live.show_all(store, since)
        else:
            _print_all(store, since, json_line if as_json else line)
        return 0
    if on_terminal and since is None:
        state = live.show_workflow(store, workflow_id, exit_on_finish=exit_on_finish)
    else:
        render = json_line if as_json else line
        state = _print(store, workflow_id, since or "0", render, exit_on_finish=exit_on_finish)
    return 0 if state is WorkflowState.COMPLETED else 1


def _print(
    store: Store, workflow_id: str, since: str, render: Callable[[Event], str], *, exit_on_finish: bool
) -> WorkflowState:
    reader, position = EventReader(store, workflow_id), since
    while True:
        for event in handle.events(store, workflow_id, position, follow=True):
            position = event.id
            click.echo(render(event))
        _, state = reading.summary(store, workflow_id)
        if exit_on_finish and state.finished:
            return state
        reader.wait(position)  # it may be retried


def _print_all(store: Store, since: str | None, render: Callable[[Event], str]) -> None:
    reader = EventReader(store)
    for event in reader.follow(reader.last_id() if since is None else since):
        click.echo(render(event))
