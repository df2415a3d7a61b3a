"""A workflow as a Mermaid flowchart."""

from __future__ import annotations

from .states import StepState, WorkflowStatus

_COLOURS = {
    StepState.PENDING: "fill:#f4f4f5,stroke:#a1a1aa,color:#3f3f46",
    StepState.QUEUED: "fill:#e0f2fe,stroke:#0284c7,color:#0c4a6e",
    StepState.EXECUTING: "fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
    StepState.SNOOZED: "fill:#ede9fe,stroke:#7c3aed,color:#4c1d95",
    StepState.RETRYABLE: "fill:#fef3c7,stroke:#d97706,color:#78350f",
    StepState.COMPLETED: "fill:#dcfce7,stroke:#16a34a,color:#14532d",
    StepState.DISCARDED: "fill:#fee2e2,stroke:#dc2626,color:#7f1d1d",
    StepState.CANCELLED: "fill:#e4e4e7,stroke:#52525b,color:#27272a",
}


def to_mermaid(status: WorkflowStatus) -> str:
    """Draw a workflow: a node a step, an arrow from each dep, the states in colour."""
    node = {name: f"s{number}" for number, name in enumerate(status.steps)}
    lines = ["flowchart TD"]
    for name, step in status.steps.items():
        lines.append(f'    {node[name]}["{_escaped(name)}"]:::{step.state}')
    for name, step in status.steps.items():
        lines.extend(f"    {node[dep]} --> {node[name]}" for dep in step.deps if dep in node)
    used = {step.state for step in status.steps.values()}
    lines.extend(f"    classDef {state} {style}" for state, style in _COLOURS.items() if state in used)
    return "\n".join(lines) + "\n"


def _escaped(name: str) -> str:
    """A name as Mermaid takes it inside quotes: whatever could end them, or is markup, as an entity."""
    return "".join(c if c.isalnum() or c in " -_./,()" else f"#{ord(c)};" for c in name)
