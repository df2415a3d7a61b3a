"""``dramatiq-baton graph``: how the steps of a workflow depend on one another."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from rich.text import Text

from ..dot import to_dot
from ..mermaid import to_mermaid
from ..states import WorkflowStatus
from ..store import reading
from .looks import LOOKS, WORKFLOW_LOOKS
from .printing import on_terminal, print_lines, print_view
from .target import Target
from .text import clean
from .tree import Line, draw
from .workflow_id import workflow_id_argument


@click.command("graph")
@workflow_id_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot"]),
    help="A tree to be read here (the default), a Mermaid flowchart, or a graph for Graphviz.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: nodes, and edges from dep to step.")
@click.pass_obj
def command(target: Target, workflow_id: str, form: str | None, as_json: bool) -> int:
    """Draw how the steps of a workflow depend on one another.

    In the tree each step stands below the dep that decides when it can start; its further deps are named behind
    it.

    \b
    Example:
      dramatiq-baton graph 3f0c2a
      dramatiq-baton graph 3f0c2a --format dot | dot -Tsvg > brief.svg
    """
    if as_json and form:
        raise click.UsageError("--json and --format exclude one another")
    status = reading.status(target.open(), workflow_id)
    if as_json:
        click.echo(_json(status))
    elif form == "mermaid":
        print_lines(to_mermaid(status).splitlines())
    elif form == "dot":
        print_lines(to_dot(status).splitlines())
    elif on_terminal():
        print_view(lambda width: (_cut(line, width) for line in _lines(status)))
    else:
        print_lines("".join(text for text, _ in line).rstrip() for line in _lines(status))
    return 0


def _lines(status: WorkflowStatus) -> Iterator[Line]:
    symbol, style = WORKFLOW_LOOKS[status.state]
    yield [
        (f"{symbol} {status.state.value}", style),
        (f"  {clean(status.name)}", "bold"),
        (f"  {clean(status.id)}", "dim"),
    ]
    yield [
        (f"{sign} {status.counts[state]:,} {state.value}   ", look)
        for state, (sign, look) in LOOKS.items()
        if status.counts.get(state)
    ]
    yield []
    yield from draw(status)


def _cut(line: Line, width: int) -> Text:
    text = Text.assemble(" ", *line)
    text.rstrip()
    text.truncate(width, overflow="ellipsis")
    return text


def _json(status: WorkflowStatus) -> str:
    return json.dumps(
        {
            "id": status.id,
            "name": status.name,
            "state": status.state,
            "nodes": [
                {"name": step.name, "state": step.state, "actor": step.actor}
                for step in status.steps.values()
            ],
            "edges": [(dep, step.name) for step in status.steps.values() for dep in step.deps],
        }
    )
