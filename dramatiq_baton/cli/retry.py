"""``dramatiq-baton retry``: resume a workflow where it failed."""

from __future__ import annotations

import json

import click

from ..money import to_budget
from ..store import steering
from .target import Target
from .text import counted
from .workflow_id import workflow_id_argument


@click.command("retry")
@workflow_id_argument
@click.option(
    "--budget",
    metavar="DOLLARS",
    help="What it may spend in all on calls to providers, what it has spent already included; as before if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: id, steps that run again.")
@click.pass_obj
def command(target: Target, workflow_id: str, budget: str | None, as_json: bool) -> int:
    """Resume a finished workflow where it failed.

    Its discarded and cancelled steps run again with fresh retries. Every stored result is kept, and its step
    doesn't run. A worker sends what is to be sent, within its rescue_interval.

    \b
    Example:
      dramatiq-baton retry 3f0c2a && dramatiq-baton watch 3f0c2a --exit-on-finish
      dramatiq-baton retry 3f0c2a --budget 5.00
    """
    limit = to_budget(budget, name="--budget")
    number, _ = steering.begin_retry(target.open(), workflow_id, limit)
    if as_json:
        click.echo(json.dumps({"id": workflow_id, "retried": number}))
    elif number == 0:
        click.echo("nothing to retry: all steps have completed")
    else:
        verb = "runs" if number == 1 else "run"
        click.echo(f"{counted(number, 'step')} {verb} again")
    return 0
