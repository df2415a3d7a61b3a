"""Contract 2: graphs that can't be run are refused before anything is written."""

from __future__ import annotations

import pytest

from dramatiq_baton import BatonError, CycleError, DuplicateStep, EmptyWorkflow, UnknownStep, Workflow
from tests.support.world import World


@pytest.mark.parametrize("error", [CycleError, DuplicateStep, EmptyWorkflow, UnknownStep])
def test_errors_of_wrong_graphs_are_baton_errors_and_value_errors(error: type[Exception]) -> None:
    assert issubclass(error, BatonError)
    assert issubclass(error, ValueError)


def test_two_steps_of_one_name_are_refused_and_the_first_one_stays(untouched: World) -> None:
    flow = untouched.flow("brief")
    flow.add("fetch", untouched.act())
    with pytest.raises(DuplicateStep, match=r"workflow 'brief' has a step 'fetch' already"):
        flow.add("fetch", untouched.act())
    assert len(flow) == 1


def test_a_workflow_without_steps_is_refused(untouched: World) -> None:
    with pytest.raises(EmptyWorkflow, match=r"workflow 'brief' has no steps"):
        untouched.run(untouched.flow("brief"))


def test_a_dep_that_is_no_step_is_refused_when_the_workflow_is_run(untouched: World) -> None:
    flow = untouched.flow("brief")
    flow.add("a", untouched.act(), deps=["b", "nowhere"])
    flow.add("b", untouched.act())  # a name that comes later will do
    with pytest.raises(UnknownStep, match=r"step 'a' of workflow 'brief' depends on 'nowhere'"):
        untouched.run(flow)


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_cycle_is_refused_and_named_step_by_step(untouched: World, dispatch: str) -> None:
    flow = untouched.flow("brief")
    flow.add("start", untouched.act())
    flow.add("a", untouched.act(), deps=["start", "c"])
    flow.add("b", untouched.act(), deps="a")
    flow.add("c", untouched.act(), deps="b")
    flow.add("end", untouched.act(), deps="c")
    with pytest.raises(CycleError) as caught:
        untouched.run(flow, dispatch=dispatch)
    assert _cycle_in(str(caught.value)) in (["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"])


def test_a_step_that_waits_for_itself_is_a_cycle(untouched: World) -> None:
    flow = untouched.flow()
    flow.add("a", untouched.act(), deps="a")
    with pytest.raises(CycleError, match="'a' -> 'a'"):
        untouched.run(flow)


def test_a_cycle_through_passed_results_is_refused_too(untouched: World) -> None:
    flow = untouched.flow()
    first = flow.add("first", untouched.act(), deps="second")
    flow.add("second", untouched.act(inputs=first))
    with pytest.raises(CycleError, match="'first'"):
        untouched.run(flow)


def test_a_cycle_of_10_000_steps_is_found_and_named(untouched: World) -> None:
    flow = untouched.flow()
    for number in range(10_000):
        flow.add(f"{number}", untouched.act(), deps=f"{(number + 1) % 10_000}")
    with pytest.raises(CycleError, match="'9999'"):
        untouched.run(flow)


@pytest.mark.parametrize("deps", [7, None, object(), [None], [b"a"], b"a", [["a"]], 1.5])
def test_deps_of_another_type_are_refused_when_they_are_given(untouched: World, deps: object) -> None:
    flow = untouched.flow()
    flow.add("a", untouched.act())
    with pytest.raises(UnknownStep, match=r"what add\(\) returned"):
        flow.add("b", untouched.act(), deps=deps)
    assert len(flow) == 1


def test_a_ref_of_another_workflow_is_refused_as_a_dep(untouched: World) -> None:
    stranger = untouched.flow("other").add("x", untouched.act())
    flow = untouched.flow()
    with pytest.raises(UnknownStep, match=r"step 'a' refers to step 'x' of another workflow, 'other'"):
        flow.add("a", untouched.act(), deps=[stranger])


@pytest.mark.parametrize("place", ["plain", "list", "dict", "deep", "keyword"])
def test_a_ref_of_another_workflow_is_refused_anywhere_in_the_arguments(untouched: World, place: str) -> None:
    stranger = untouched.flow("other").add("x", untouched.act())
    inputs = {
        "plain": stranger,
        "list": [1, stranger],
        "dict": {"k": stranger},
        "deep": [{"k": ({"l": [stranger]},)}],
        "keyword": stranger,
    }[place]
    act = untouched.actors.act
    message = act.message([], inputs=inputs) if place == "keyword" else act.message([], inputs)
    flow = untouched.flow()
    with pytest.raises(UnknownStep, match="of another workflow, 'other'"):
        flow.add("a", message)
    assert len(flow) == 0


def test_a_workflow_that_was_refused_can_be_mended_and_run(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["value", 1]), deps="b")
    with pytest.raises(UnknownStep):
        world.run(flow)
    flow.add("b", world.act(["value", 2]))
    assert world.finish(flow).results() == {"a": 1, "b": 2}


def _cycle_in(message: str) -> list[str]:
    names = [part.strip(" '") for part in message.rpartition(":")[2].split("->")]
    assert names[0] == names[-1]
    return names[:-1]


def test_a_workflow_object_is_not_shared_by_its_name(untouched: World) -> None:
    one, two = Workflow("same"), Workflow("same")
    assert one.id != two.id
    one.add("a", untouched.act())
    assert len(two) == 0
