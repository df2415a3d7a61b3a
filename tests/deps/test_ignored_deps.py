"""Contract 2: ``ignore_discarded`` and ``ignore_cancelled``."""

from __future__ import annotations

import pytest

from dramatiq_baton import StepState
from tests.support.world import World

DISCARD, CANCEL = ["discard", "no such page"], ["cancel", "nothing to do"]
BOTH = pytest.mark.parametrize(
    ("order", "flag"),
    [(DISCARD, "ignore_discarded"), (CANCEL, "ignore_cancelled")],
    ids=["discarded", "cancelled"],
)
CROSSED = pytest.mark.parametrize(
    ("order", "flag"),
    [(DISCARD, "ignore_cancelled"), (CANCEL, "ignore_discarded")],
    ids=["discarded", "cancelled"],
)


@BOTH
def test_a_step_that_ignores_it_runs_though_its_dep_failed(world: World, order: list[str], flag: str) -> None:
    flow = world.flow()
    flow.add("a", world.act(order))
    flow.add("b", world.act(["value", 1]), deps="a", **{flag: True})
    run = world.finish(flow)
    assert run.results() == {"b": 1}
    assert world.events_of(run, "b") == ["executing", "completed"]


@BOTH
def test_an_ignored_dep_passes_none(world: World, order: list[str], flag: str) -> None:
    flow = world.flow()
    good = flow.add("good", world.act(["value", 1]))
    bad = flow.add("bad", world.act(order))
    flow.add("b", world.act(inputs=[bad, good, {"bad": bad}]), **{flag: True})
    run = world.finish(flow)
    assert run.result("b") == [None, 1, {"bad": None}]


@BOTH
def test_an_ignored_dep_has_no_result_to_read(world: World, order: list[str], flag: str) -> None:
    flow = world.flow()
    flow.add("good", world.act(["value", None]))
    flow.add("bad", world.act(order))
    flow.add("b", world.act(["results"]), deps=["good", "bad"], **{flag: True})
    flow.add("c", world.act(["result of", "bad"]), deps="bad", **{flag: True})
    run = world.finish(flow)
    assert run.result("b") == {"good": None}
    assert run.status().steps["c"].reason == "ResultMissing: dep 'bad' of step 'c' has no result"


@BOTH
def test_a_workflow_may_ignore_it_for_all_its_steps(world: World, order: list[str], flag: str) -> None:
    flow = world.flow(**{flag: True})
    flow.add("a", world.act(order))
    flow.add("b", world.act(["value", 1]), deps="a")
    run = world.finish(flow)
    assert run.results() == {"b": 1}


@BOTH
def test_a_step_may_say_otherwise_than_its_workflow(world: World, order: list[str], flag: str) -> None:
    flow = world.flow(**{flag: True})
    flow.add("a", world.act(order))
    flow.add("b", world.act(["value", 1]), deps="a", **{flag: False})
    flow.add("c", world.act(["value", 1]), deps="a", **{flag: None})
    run = world.finish(flow)
    assert run.status().steps["b"].state is StepState.CANCELLED
    assert run.results() == {"c": 1}


@CROSSED
def test_ignoring_the_one_isnt_ignoring_the_other(world: World, order: list[str], flag: str) -> None:
    flow = world.flow()
    flow.add("a", world.act(order))
    flow.add("b", world.act(["value", 1]), deps="a", **{flag: True})
    run = world.finish(flow)
    assert run.status().steps["b"].state is StepState.CANCELLED


def test_a_step_that_was_cancelled_because_of_a_discard_is_a_cancelled_dep(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(DISCARD))
    flow.add("b", world.act(), deps="a")
    flow.add("c", world.act(["value", 1]), deps="b", ignore_discarded=True)
    flow.add("d", world.act(["value", 2]), deps="b", ignore_cancelled=True)
    run = world.finish(flow)
    assert run.status().steps["c"].state is StepState.CANCELLED
    assert run.results() == {"d": 2}


def test_a_step_still_waits_for_its_other_deps_when_one_is_ignored(world: World) -> None:
    flow = world.flow()
    flow.add("bad", world.act(DISCARD))
    slow = flow.add("slow", world.act(["snooze", 150], ["value", "slow"]))
    flow.add("b", world.act(inputs=slow), deps="bad", ignore_discarded=True)
    run = world.finish(flow)
    assert run.result("b") == "slow"


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_ignoring_works_the_same_whatever_the_dispatch(world: World, dispatch: str) -> None:
    flow = world.flow(ignore_discarded=True, ignore_cancelled=True)
    parts = [
        flow.add(f"a{number}", world.act(order))
        for number, order in enumerate([DISCARD, CANCEL, ["value", 3]])
    ]
    flow.add("b", world.act(inputs=parts))
    run = world.finish(flow, dispatch=dispatch)
    assert run.result("b") == [None, None, 3]
