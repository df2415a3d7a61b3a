"""``to_mermaid()``: a flowchart whatever the steps are called."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from dramatiq_baton import StepState, StepStatus, WorkflowState, WorkflowStatus
from dramatiq_baton.mermaid import to_mermaid
from tests.support.by_hand import ByHand
from tests.support.world import World

NODE = re.compile(r'    (s\d+)\["([^"<>&]*)"\]:::(\w+)')
ARROW = re.compile(r"    (s\d+) --> (s\d+)")
CLASS = re.compile(r"    classDef (\w+) fill:#\w{6},stroke:#\w{6},color:#\w{6}")

HOSTILE = [
    "end",
    "graph TD",
    "subgraph x",
    'quote"] --> s0["',
    "<script>alert(1)</script>",
    "a & b &amp; #quot; #35;",
    "`**markdown**`",
    "s0",
    "%% comment",
    "a;b:::c --> d | e ~~~ f",
    "{{a}} ((b)) [/c/] \\d\\",
    "click s0 href javascript:alert(1)",
    "\N{PARTY POPPER} \u0627\u0644\u0639 \u65e5\u672c\u8a9e",
    "x" * 200,
]


def read(text: str) -> tuple[dict[str, str], set[tuple[str, str]], dict[str, str]]:
    """What a chart says: the state of each name, the arrows between names, the text of each class."""
    first, *lines = text.splitlines()
    assert first == "flowchart TD"
    names, states, arrows, classes = {}, {}, set(), {}
    for line in lines:
        if match := NODE.fullmatch(line):
            name = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), match[2])
            assert match[1] not in names
            names[match[1]], states[name] = name, match[3]
        elif match := ARROW.fullmatch(line):
            arrows.add((names[match[1]], names[match[2]]))
        else:
            match = CLASS.fullmatch(line)
            assert match, f"not a line of a flowchart: {line!r}"
            classes[match[1]] = line
    return states, arrows, classes


def test_it_draws_each_step_with_its_state_and_an_arrow_from_each_dep(
    own_world: World, by_hand: ByHand
) -> None:
    flow = own_world.flow()
    for name, deps in {"a": "", "b": "", "c": "ab", "d": "c", "e": "a"}.items():
        flow.add(name, own_world.act(), deps=list(deps))
    run = own_world.run(flow)
    by_hand.complete(run, "a")
    by_hand.claim(run, "b")
    states, arrows, classes = read(run.to_mermaid())
    assert states == {"a": "completed", "b": "executing", "c": "pending", "d": "pending", "e": "queued"}
    assert arrows == {("a", "c"), ("b", "c"), ("c", "d"), ("a", "e")}
    assert classes.keys() == {"completed", "executing", "pending", "queued"}


def test_no_name_can_break_out_of_its_node(own_world: World) -> None:
    flow = own_world.flow()
    for at, name in enumerate(HOSTILE):
        flow.add(name, own_world.act(), deps=HOSTILE[at - 1 : at] if at else ())
    states, arrows, _ = read(own_world.run(flow).to_mermaid())
    assert list(states) == HOSTILE
    assert arrows == set(pairwise(HOSTILE))


@pytest.mark.parametrize("state", list(StepState))
def test_every_state_has_a_look_of_its_own(state: StepState) -> None:
    def chart(state: StepState) -> str:
        step = StepStatus(name="a", state=state, actor="act", queue="q")
        status = WorkflowStatus(id="x", name="x", state=WorkflowState.EXECUTING, total=1, steps={"a": step})
        return read(to_mermaid(status))[2][state]

    assert len({chart(other) for other in StepState if other is not state} | {chart(state)}) == len(StepState)
