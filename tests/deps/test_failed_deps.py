"""Contract 2, "When a dep does not complete": what becomes of its dependents."""

from __future__ import annotations

import pytest

from dramatiq_baton import StepState, WorkflowState
from tests.support.world import World

FAILURES = pytest.mark.parametrize(
    ("order", "outcome"),
    [(["discard", "no such page"], "discarded"), (["cancel", "no such page"], "cancelled")],
    ids=["discarded", "cancelled"],
)


@FAILURES
def test_a_step_whose_dep_failed_is_cancelled(world: World, order: list[str], outcome: str) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(order))
    flow.add("b", world.act(inputs=a))
    run = world.finish(flow)
    b = run.status().steps["b"]
    assert (b.state, b.attempt) == (StepState.CANCELLED, 0)
    assert b.reason == f"dep 'a' was {outcome}: no such page"
    assert world.events_of(run, "b") == ["cancelled"]
    assert world.runs_of(run, "b") == 0


def test_a_step_whose_dep_ran_out_of_retries_is_cancelled(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["fail", "boom"]))
    flow.add("b", world.act(), deps="a")
    run = world.finish(flow)
    assert run.status().steps["b"].state is StepState.CANCELLED
    assert run.status().steps["b"].reason == "dep 'a' was discarded: ValueError: boom"


def test_one_failed_dep_among_many_is_enough(world: World) -> None:
    flow = world.flow()
    deps = [flow.add(f"a{number}", world.act(["value", number])) for number in range(5)]
    deps.append(flow.add("bad", world.act(["discard", "no such page"])))
    flow.add("b", world.act(), deps=deps)
    run = world.finish(flow)
    assert run.status().steps["b"].state is StepState.CANCELLED
    assert run.status().counts == {StepState.COMPLETED: 5, StepState.DISCARDED: 1, StepState.CANCELLED: 1}


def test_a_step_is_cancelled_without_waiting_for_its_other_deps(world: World) -> None:
    flow = world.flow()
    flow.add("slow", world.act(["wait for", "released"]))
    flow.add("bad", world.act(["discard", "no such page"]))
    flow.add("b", world.act(), deps=["slow", "bad"])
    world.worker  # noqa: B018 - starts it
    run = world.run(flow)
    assert next(event for event in run.events(follow=True) if event.event == "cancelled").step == "b"
    world.actors.let_go("released")
    assert run.wait(timeout=30_000).state is WorkflowState.FAILED
    assert world.events_of(run, "b") == ["cancelled"]  # the other dep's success comes too late


@FAILURES
def test_cancellation_spreads_to_all_steps_downstream(world: World, order: list[str], outcome: str) -> None:
    flow = world.flow()
    flow.add("root", world.act(order))
    flow.add("b", world.act(), deps="root")
    flow.add("c", world.act(), deps="root")
    flow.add("d", world.act(), deps=["b", "c"])
    flow.add("e", world.act(), deps="d")
    flow.add("apart", world.act(["value", 1]))
    run = world.finish(flow)
    steps = run.status().steps
    assert [
        name for name, step in steps.items() if step.state is StepState.CANCELLED and step.attempt == 0
    ] == [
        "b",
        "c",
        "d",
        "e",
    ]
    assert {steps[name].reason for name in "bcde"} == {f"dep 'root' was {outcome}: no such page"}
    assert run.results() == {"apart": 1}
    for name in "bcde":
        assert world.events_of(run, name) == ["cancelled"]


@FAILURES
def test_the_workflow_ends_as_its_steps_did(world: World, order: list[str], outcome: str) -> None:
    flow = world.flow()
    flow.add("a", world.act(order))
    flow.add("b", world.act(), deps="a")
    run = world.finish(flow)
    state = {"discarded": WorkflowState.FAILED, "cancelled": WorkflowState.CANCELLED}[outcome]
    assert run.status().state is state
    finished = [event for event in run.events() if event.event == "workflow_finished"]
    assert [event.outcome for event in finished] == [str(state)]


def test_hundreds_of_dependents_and_what_depends_on_them_are_cancelled(world: World) -> None:
    flow = world.flow()
    flow.add("root", world.act(["discard", "no such page"]))
    for number in range(350):
        flow.add(f"b{number}", world.act(), deps="root")
        flow.add(f"c{number}", world.act(), deps=f"b{number}")
    flow.add("last", world.act(), deps=[f"c{number}" for number in range(350)])
    run = world.finish(flow)
    assert run.status().counts == {StepState.DISCARDED: 1, StepState.CANCELLED: 701}
    assert {note.split("|")[1] for note in world.notes(run)} == {
        "run",
        "on_dep_discarded",
        "on_dep_cancelled",
    }
    assert [note for note in world.notes(run) if "|run|" in note] == ["root|run|1"]
    assert len(world.notes(run)) == 702  # each callback once
    assert [event.event for event in run.events()].count("cancelled") == 701
