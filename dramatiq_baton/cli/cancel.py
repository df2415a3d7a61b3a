"""``dramatiq-baton cancel``: cancel what hasn't settled of a workflow."""

from __future__ import annotations

import json

import click

from ..store import steering
from .target import Target
from .text import counted
from .workflow_id import workflow_id_argument


@click.command("cancel")
@workflow_id_argument
@click.option("--reason", default="", help="Why, for whoever looks at the steps.")
@click.option("--interrupt", is_flag=True, help="Interrupt running actors as a time limit would.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: id, state, cancelled steps.")
@click.pass_obj
def command(target: Target, workflow_id: str, reason: str, interrupt: bool, as_json: bool) -> int:
    """Cancel every step of a workflow that hasn't settled.

    What is queued, delayed or waiting doesn't start any more. An actor that is running learns of it within 5
    seconds, and what it answers is ignored. A cancelled workflow can be resumed with retry.

    \b
    Example:
      dramatiq-baton cancel 3f0c2a --reason "wrong customer"
    """
    cancelled = steering.cancel(target.open(), workflow_id, reason, interrupt=interrupt)
    if as_json:
        state = cancelled.finished_as or "cancelled"
        click.echo(json.dumps({"id": workflow_id, "state": state, "cancelled": cancelled.number}))
    elif cancelled.finished_as is not None:
        click.echo(f"nothing to cancel: the workflow has finished, it is {cancelled.finished_as}")
    elif cancelled.number == 0:
        click.echo("nothing to cancel: somebody else has just cancelled the workflow")
    else:
        click.echo(f"cancelled {counted(cancelled.number, 'step')}")
    return 0
