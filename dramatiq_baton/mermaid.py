"""A workflow as a Mermaid flowchart."""

from __future__ import annotations

from .palette import PALETTE
from .states import WorkflowStatus


def to_mermaid(status: WorkflowStatus) -> str:
    """Draw a workflow: a node a step, an arrow from each dep, the states in colour."""
    node = {name: f"s{number}" for number, name in enumerate(status.steps)}
    lines = ["flowchart TD"]
    for name, step in status.steps.items():
        lines.append(f'    {node[name]}["{_escaped(name)}"]:::{step.state}')
    for name, step in status.steps.items():
        lines.extend(f"    {node[dep]} --> {node[name]}" for dep in step.deps if dep in node)
    used = {step.state for step in status.steps.values()}
    lines.extend(
        f"    classDef {state} fill:{colours.fill},stroke:{colours.stroke},color:{colours.text}"
        for state, colours in PALETTE.items()
        if state in used
    )
    return "\n".join(lines) + "\n"


def _escaped(name: str) -> str:
    """A name as Mermaid takes it inside quotes: whatever could end them, or is markup, as an entity."""
    return "".join(c if c.isalnum() or c in " -_./,()" else f"#{ord(c)};" for c in name)
