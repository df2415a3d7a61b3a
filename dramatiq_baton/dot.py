"""A workflow in the language of Graphviz."""

from __future__ import annotations

from .palette import PALETTE
from .states import WorkflowStatus

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def to_dot(status: WorkflowStatus) -> str:
    """Draw a workflow: a node a step, an arrow from each dep, the states in colour."""
    node = {name: f"s{number}" for number, name in enumerate(status.steps)}
    lines = [
        "digraph workflow {",
        f"    label={_quoted(status.name)} labelloc=t",
        '    node [shape=box style="rounded,filled" fontname="sans-serif"]',
    ]
    for name, step in status.steps.items():
        fill, stroke, text = PALETTE[step.state]
        lines.append(
            f"    {node[name]} [label={_quoted(name)} tooltip={_quoted(step.state)} "
            f'fillcolor="{fill}" color="{stroke}" fontcolor="{text}"]'
        )
    for name, step in status.steps.items():
        lines.extend(f"    {node[dep]} -> {node[name]}" for dep in step.deps if dep in node)
    lines.append("}")
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    r"""A name as Graphviz takes it for a label.

    A backslash would begin an escape such as ``\N``, the node's own name, and an ampersand an HTML entity.
    Braces and tags mean nothing in quotes and in a box.
    """
    return f'"{name.translate(_ESCAPES)}"'
