"""``dramatiq-baton show``: one workflow as it is now."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

import click

from ..errors import CorruptData
from ..states import StepState, WorkflowStatus
from ..store import reading, spending
from ..store.records import unpack_result
from ..store.store import Store
from ..usage import UsageReport
from . import costs, show_plain, show_view
from .board import Board
from .printing import on_terminal, print_lines, print_view
from .target import Target
from .values import for_json, on_one_line
from .workflow_id import workflow_id_argument


@click.command("show")
@workflow_id_argument
@click.option("--results", is_flag=True, help="The results of the steps, too.")
@click.option("--all", "everything", is_flag=True, help="A line for every step, however many there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; times are in ms since 1970.")
@click.pass_obj
def command(target: Target, workflow_id: str, results: bool, everything: bool, as_json: bool) -> int:
    """Show the steps of one workflow as they are now.

    With their states, attempts and durations, and why they failed or were cancelled; and what calls to models cost.

    On a terminal a workflow of more than 100 steps is summed up; in a pipe, each step has its line.

    \b
    Example:
      dramatiq-baton show 3f0c2a
      dramatiq-baton show 3f0c2a --results | grep summary
    """
    store = target.open()
    status = reading.status(store, workflow_id)
    usage = spending.report(store, workflow_id)
    if as_json:
        decoded = _decoded(store, status) if results else None
        click.echo(_json(status, usage, decoded))
        return 0
    texts = _texts(store, status) if results else None
    now_ms = int(time.time() * 1000)
    if on_terminal():
        board = Board(status)
        print_view(lambda width: show_view.lines(board, now_ms, width, everything=everything))
        print_view(lambda width: costs.lines(usage, width))
        if texts is not None:
            print_view(lambda width: show_view.result_lines(texts, status.steps, width))
    else:
        print_lines(show_plain.lines(status, now_ms))
        print_lines(costs.plain_lines(usage))
        if texts is not None:
            print_lines(show_plain.result_lines(texts, status.steps))
    return 0


def _results(store: Store, status: WorkflowStatus) -> Iterator[tuple[str, bytes]]:
    """The encoded results, in the order of the steps."""
    completed = [name for name, step in status.steps.items() if step.state is StepState.COMPLETED]
    for name, stored in reading.results(store, status.id, completed):
        if stored.data is not None:
            yield name, stored.data


def _decoded(store: Store, status: WorkflowStatus) -> dict[str, object]:
    return {name: unpack_result(status.id, name, data) for name, data in _results(store, status)}


def _texts(store: Store, status: WorkflowStatus) -> Iterator[tuple[str, str]]:
    for name, data in _results(store, status):
        try:
            yield name, on_one_line(unpack_result(status.id, name, data))
        except CorruptData as error:  # the others can be read all the same
            yield name, f"({error})"


def _json(status: WorkflowStatus, usage: UsageReport, results: dict[str, object] | None) -> str:
    told: dict[str, object] = {
        "id": status.id,
        "name": status.name,
        "state": status.state,
        "total": status.total,
        "counts": status.counts,
        "created_at": status.created_at,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
        "failed_steps": status.failed_steps,
        "usage": costs.as_json(usage),
        "steps": [asdict(step) for step in status.steps.values()],
    }
    if results is not None:
        told["results"] = {name: for_json(value) for name, value in results.items()}
    return json.dumps(told)
