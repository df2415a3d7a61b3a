"""Contract 2: ``deps=`` takes names or refs, one or many."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import UnknownStep
from tests.support.world import World


@pytest.mark.parametrize(
    ("given", "deps"),
    [
        (lambda a, b: "a", ("a",)),
        (lambda a, b: a, ("a",)),
        (lambda a, b: ["a", b], ("a", "b")),
        (lambda a, b: (b, "a", a), ("b", "a")),
        (lambda a, b: {"a"}, ("a",)),
        (lambda a, b: (ref for ref in (a, b)), ("a", "b")),
        (lambda a, b: (), ()),
    ],
    ids=["a name", "a ref", "a list of both", "a tuple with repeats", "a set", "a generator", "none"],
)
def test_deps_may_be_named_in_many_ways(world: World, given: Any, deps: tuple[str, ...]) -> None:
    flow = world.flow()
    a, b = flow.add("a", world.act(["value", 1])), flow.add("b", world.act(["value", 2]))
    flow.add("c", world.act(["results"]), deps=given(a, b))
    run = world.finish(flow)
    assert run.status().steps["c"].deps == deps
    assert run.result("c") == {name: {"a": 1, "b": 2}[name] for name in deps}


def test_a_dep_may_be_added_after_the_step_that_needs_it(world: World) -> None:
    flow = world.flow()
    flow.add("last", world.act(["results"]), deps=["middle", "first"])
    flow.add("middle", world.act(["result of", "first"]), deps="first")
    flow.add("first", world.act(["value", 1]))
    run = world.finish(flow)
    assert run.result("last") == {"middle": 1, "first": 1}
    started = [event.step for event in run.events() if event.event == "executing"]
    assert started == ["first", "middle", "last"]


def test_deps_add_to_those_that_are_passed(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", 1]))
    flow.add("b", world.act(["snooze", 100], ["value", 2]))
    flow.add("c", world.act(inputs=a), deps="b")
    run = world.finish(flow)
    assert run.status().steps["c"].deps == ("a", "b")
    events = [(event.step, event.event) for event in run.events()]
    assert events.index(("b", "completed")) < events.index(("c", "executing"))


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_deps_order_steps_without_passing_data(world: World, dispatch: str) -> None:
    flow = world.flow()
    flow.add("a", world.act(["snooze", 100], ["fail", "once"], ["value", 1]))
    flow.add("b", world.act(["inputs"], inputs="its own"), deps="a")
    run = world.finish(flow, dispatch=dispatch)
    assert run.result("b") == "its own"
    events = [(event.step, event.event) for event in run.events()]
    assert events.index(("a", "completed")) < events.index(("b", "executing"))


def test_something_else_as_a_dep_is_refused_at_once(world: World) -> None:
    flow = world.flow()
    with pytest.raises(UnknownStep, match=r"deps must be a step's name, .* not int"):
        flow.add("a", world.act(), deps=7)
    with pytest.raises(UnknownStep, match=r"must be a step's name or what add\(\) returned, not Message"):
        flow.add("a", world.act(), deps=[world.act()])
    flow.add("a", world.act(["value", 1]))  # what was refused left nothing behind
    assert world.finish(flow).results() == {"a": 1}


def test_a_ref_of_another_workflow_is_refused_at_once(world: World) -> None:
    other = world.flow("the other").add("a", world.act())
    with pytest.raises(UnknownStep, match="'a' of another workflow, 'the other'"):
        world.flow().add("b", world.act(inputs=other))
