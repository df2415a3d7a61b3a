"""``to_dot()``: a graph for Graphviz whatever the steps are called."""

from __future__ import annotations

import re

from dramatiq_baton.dot import to_dot
from dramatiq_baton.mermaid import to_mermaid
from dramatiq_baton.states import StepState, StepStatus, WorkflowState, WorkflowStatus

STRING = r'"(?:[^"\\]|\\.)*"'
NODE = re.compile(
    rf'    (s\d+) \[label=({STRING}) tooltip="(\w+)" fillcolor="(#\w{{6}})" color="#\w{{6}}" fontcolor="#\w{{6}}"\]'
)
ARROW = re.compile(r"    (s\d+) -> (s\d+)")

HOSTILE = [
    'quote"] s0 -> s0 ["',
    "ends in \\",
    "\\N \\n \\l \\G",
    '\\"',
    "{a|b}",
    "<b>bold</b>",
    "a & b &amp; &#34;",
    "// comment /* */ #",
    "digraph { }",
    "🚀 日本語",
    "x" * 200,
]


def shown(label: str) -> str:
    """What Graphviz shows for a quoted label: it takes out the quotes, then entities, then escapes."""
    text = re.sub(r'\\"', '"', label[1:-1]) if "\\\\" not in label else _unquoted(label[1:-1])
    return text.replace("&amp;", "&")


def _unquoted(text: str) -> str:
    assert not re.search(r'(?<!\\)(?:\\\\)*\\[^"\\]', text), "an escape that Graphviz would obey"
    return re.sub(r"\\(.)", r"\1", text)


def test_names_come_out_literally_and_arrows_lead_from_deps() -> None:
    steps = {
        name: StepStatus(name, StepState.PENDING, "a", "q", deps=(HOSTILE[0],) if number else ())
        for number, name in enumerate(HOSTILE)
    }
    status = WorkflowStatus("w", 'the "flow"', WorkflowState.EXECUTING, len(steps), steps=steps)
    first, label, _, *lines, last = to_dot(status).splitlines()
    assert (first, last) == ("digraph workflow {", "}")
    assert label == '    label="the \\"flow\\"" labelloc=t'
    nodes = {match[1]: shown(match[2]) for line in lines if (match := NODE.fullmatch(line))}
    arrows = [(nodes[match[1]], nodes[match[2]]) for line in lines if (match := ARROW.fullmatch(line))]
    assert list(nodes.values()) == HOSTILE
    assert arrows == [(HOSTILE[0], name) for name in HOSTILE[1:]]
    assert len(lines) == len(nodes) + len(arrows)


def test_both_drawings_give_a_state_the_same_colour() -> None:
    for state in StepState:
        status = WorkflowStatus(
            "w", "f", WorkflowState.EXECUTING, 1, steps={"a": StepStatus("a", state, "a", "q")}
        )
        match = NODE.fullmatch(to_dot(status).splitlines()[3])
        assert match is not None
        assert match[3] == state
        assert f"fill:{match[4]}," in to_mermaid(status)
