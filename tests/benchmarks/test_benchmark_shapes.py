"""The graphs that are measured are the graphs that they are called."""

from __future__ import annotations

import pytest

from benchmarks import shapes
from benchmarks.shapes import Shape, WrongOrder

DIAMOND = Shape("diamond", {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})


@pytest.mark.parametrize(
    ("name", "steps", "edges", "depth"),
    [("montage", 310, 798, 8), ("epigenomics", 263, 324, 9), ("1000genome", 260, 380, 3)],
)
def test_a_scientific_workflow_is_a_graph_of_the_size_it_is_known_for(
    name: str, steps: int, edges: int, depth: int
) -> None:
    shape = shapes.science(name)
    assert len(shape) == steps
    assert sum(map(len, shape.parents.values())) == edges
    assert len(shape.levels) == depth


@pytest.mark.parametrize("name", shapes.NAMES)
def test_no_step_stands_beside_or_before_one_that_it_depends_on(name: str) -> None:
    shape = shapes.science(name)
    depth = {step: number for number, level in enumerate(shape.levels) for step in level}
    assert depth.keys() == shape.parents.keys()
    assert all(depth[parent] < depth[step] for step, parents in shape.parents.items() for parent in parents)
    shape.check(list(shape.parents))


def test_blocks_are_as_many_steps_as_were_asked_for() -> None:
    shape = shapes.blocks(3000)
    assert len(shape) == 3000
    assert [len(level) for level in shape.levels] == [1, 998, 1] * 3
    shape.check(list(shape.parents))


def test_children_are_parents_the_other_way_round() -> None:
    assert DIAMOND.children == {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}


@pytest.mark.parametrize("order", [["a", "c", "b", "d"], ["a", "b", "c", "d"]])
def test_any_order_that_keeps_to_the_graph_is_right(order: list[str]) -> None:
    DIAMOND.check(order)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(["b", "a", "c", "d"], id="before a parent"),
        pytest.param(["a", "b", "d"], id="left out"),
        pytest.param(["a", "b", "b", "d"], id="twice instead of another"),
        pytest.param(["a", "b", "c", "d", "d"], id="twice"),
    ],
)
def test_an_order_that_breaks_the_graph_is_found(order: list[str]) -> None:
    with pytest.raises(WrongOrder, match="diamond"):
        DIAMOND.check(order)
