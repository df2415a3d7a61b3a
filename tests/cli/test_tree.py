"""The tree of a workflow."""

from __future__ import annotations

import pytest

from dramatiq_baton.cli import tree
from dramatiq_baton.states import StepState, StepStatus, WorkflowState, WorkflowStatus


def flow(steps: dict[str, str | tuple[str, ...]], actor: str = "", **states: StepStatus) -> WorkflowStatus:
    """Steps by name with their deps, a letter each or a tuple; each of an actor of its own by default."""
    rows = {
        name: StepStatus(name, StepState.PENDING, actor or name, "default", deps=tuple(deps))
        for name, deps in steps.items()
    } | states
    return WorkflowStatus("w", "flow", WorkflowState.EXECUTING, len(rows), steps=rows)


def drawn(status: WorkflowStatus) -> list[str]:
    return ["".join(text for text, _ in line) for line in tree.draw(status)]


def test_each_step_stands_below_its_deepest_dep_and_names_the_others() -> None:
    assert drawn(flow({"a": "", "b": "a", "c": "a", "d": "b", "e": "acd"})) == [
        "· a",
        "├─ · b",
        "│  ↓ · d",
        "│  ↓ · e  (after: a, c)",
        "└─ · c",
    ]


def test_several_steps_that_depend_on_nothing_are_branches() -> None:
    assert drawn(flow({"a": "", "b": "", "c": "b"})) == ["├─ · a", "└─ · b", "   ↓ · c"]


def test_a_step_that_failed_says_why() -> None:
    failed = StepStatus("a", StepState.DISCARDED, "a", "q", reason="refused\x1b[31m")
    cancelled = StepStatus("b", StepState.CANCELLED, "b", "q", deps=("a",), reason="dep 'a' was discarded")
    assert drawn(flow({}, a=failed, b=cancelled)) == [
        "✗ a  refused␛[31m",
        "↓ ⊘ b  dep 'a' was discarded",
    ]


def test_of_many_further_deps_the_first_are_named() -> None:
    steps: dict[str, str | tuple[str, ...]] = dict.fromkeys("abcdefg", "")
    assert "   ↓ · x  (after: b, c, d, 3 more)" in [
        line.replace("│", " ") for line in drawn(flow({**steps, "x": "abcdefg"}))
    ]


@pytest.mark.parametrize("size", [300, 30_000])
def test_many_steps_of_one_actor_are_one_line_and_some_failed_ones(size: int) -> None:
    status = flow({f"s{n}": "" for n in range(size)}, "summarize")
    for n in range(7):
        status.steps[f"s{n}"] = StepStatus(f"s{n}", StepState.DISCARDED, "summarize", "q", reason="refused")
    status.steps["last"] = StepStatus(
        "last", StepState.PENDING, "compile", "q", deps=tuple(f"s{n}" for n in range(size))
    )
    assert drawn(status) == [
        f"· summarize × {size:,}   ✗ 7  · {size - 7:,}",
        *(f"   ✗ s{n}  refused" for n in range(tree.MOST_FAILED)),
        f"   … {7 - tree.MOST_FAILED} more discarded",
        f"↓ · last  (after: all {size:,})",
    ]


def test_a_few_steps_of_one_actor_stand_alone() -> None:
    assert len(drawn(flow({str(n): "" for n in range(tree.MOST_ALIKE)}, "a"))) == tree.MOST_ALIKE
    assert len(drawn(flow({str(n): "" for n in range(tree.MOST_ALIKE + 1)}, "a"))) == 1


def test_a_step_after_some_of_many_says_how_many_or_which() -> None:
    many: dict[str, str | tuple[str, ...]] = {f"s{n}": "" for n in range(20)}
    status = flow(many, "a")
    status.steps["some"] = StepStatus("some", StepState.PENDING, "b", "q", deps=("s1", "s2"))
    status.steps["one"] = StepStatus("one", StepState.PENDING, "c", "q", deps=("s7",))
    assert drawn(status)[1:] == ["├─ · some  (after: 2 of 20)", "└─ · one  (after: s7)"]


def test_many_cancelled_steps_say_why_once() -> None:
    status = flow({f"s{n}": "" for n in range(20)}, "a")
    for name in status.steps:
        status.steps[name] = StepStatus(name, StepState.CANCELLED, "a", "q", reason="stop")
    assert drawn(status) == ["⊘ a × 20   ⊘ 20  stop"]


def test_a_chain_of_30_000_steps_keeps_its_indentation() -> None:
    found = drawn(flow({str(n): (str(n - 1),) if n else () for n in range(30_000)}))
    assert len(found) == 30_000
    assert found[-1] == "↓ · 29999"


def test_a_tree_of_10_000_levels_keeps_its_lines_short() -> None:
    steps: dict[str, str | tuple[str, ...]] = {"0": ()}
    for n in range(10_000):
        steps[f"{n + 1}"] = steps[f"side {n}"] = (f"{n}",)
    found = drawn(flow(steps))
    assert len(found) == 20_001
    assert max(map(len, found)) < 70
    assert any(line.startswith("…9,9") for line in found)


def test_every_step_is_drawn_whatever_its_deps() -> None:
    lines = drawn(flow({"a": ("gone",), "b": "aa", "x": "yb", "y": "x"}))
    assert sorted(line.partition("· ")[2][0] for line in lines) == [*"abxy"]
    assert drawn(flow({})) == []
