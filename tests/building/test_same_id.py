"""Contract 2: a workflow's id is its identity. Running it twice starts it once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import BatonError, StepState, Workflow, WorkflowExists, WorkflowRun
from tests.support.processes import ROOT
from tests.support.world import World

#: More steps than are sent to Redis in one command: such a graph is staged first.
STAGED = 250


def build(world: World, id: str, *, steps: int = 3, name: str = "flow") -> Workflow:
    """A chain of three, and independent steps beside it."""
    flow = world.flow(name, id=id)
    first = flow.add("first", world.act(["value", 1]))
    second = flow.add("second", world.act(["inputs"], inputs={"a": first, "b": 2}), deps="first")
    flow.add("third", world.act(["inputs"], inputs=[second]))
    for number in range(steps - 3):
        flow.add(f"{number}", world.act(["value", number]))
    return flow


def at_once(times: int, call: Callable[[], WorkflowRun]) -> list[WorkflowRun]:
    """Call from several threads that start together."""
    start, runs = threading.Barrier(times), []

    def thread() -> None:
        start.wait(20)
        runs.append(call())

    threads = [threading.Thread(target=thread) for _ in range(times)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(runs) == times
    return runs


def assert_ran_once(world: World, run: WorkflowRun) -> None:
    status = run.wait(timeout=60_000)
    assert status.counts == {StepState.COMPLETED: status.total}
    events = [(event.event, event.step) for event in run.events() if event.event != "snoozed"]
    assert len(events) == len(set(events)) == 2 + 2 * status.total
    assert [world.runs_of(run, step) for step in ("first", "second", "third")] == [1, 1, 1]


def new_id() -> str:
    return Workflow("any").id


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
@pytest.mark.parametrize("steps", [3, STAGED])
def test_the_second_run_starts_nothing_and_gives_the_handle_of_the_first(
    world: World, steps: int, dispatch: str
) -> None:
    world.worker  # noqa: B018 - starts it
    id = new_id()
    first = world.run(build(world, id, steps=steps), dispatch=dispatch)
    second = world.run(build(world, id, steps=steps), dispatch=dispatch)
    assert (first.created, second.created) == (True, False)
    assert (first.id, second.id) == (id, id)
    assert_ran_once(world, second)
    assert second.result("third") == [{"a": 1, "b": 2}]


def test_running_the_same_object_twice_starts_it_once(world: World) -> None:
    world.worker  # noqa: B018 - starts it
    flow = build(world, new_id())
    assert [world.run(flow).created for _ in range(3)] == [True, False, False]
    assert_ran_once(world, world.run(flow))


def test_a_finished_workflow_is_not_started_again_either(world: World) -> None:
    id = new_id()
    world.finish(build(world, id))
    again = world.run(build(world, id))
    assert not again.created
    assert again.status().state == "completed"
    assert_ran_once(world, again)


def test_the_handle_of_the_first_has_the_name_of_the_first(untouched_id: tuple[World, str]) -> None:
    world, id = untouched_id
    world.run(build(world, id, name="one"))
    again = world.run(build(world, id, name="two"))
    assert (again.created, again.name) == (False, "one")


@pytest.fixture
def untouched_id(world: World) -> Any:
    """An id whose workflow is let run, for the world to be left clean."""
    id = new_id()
    yield world, id
    world.finish(build(world, id))


def other_graphs(world: World, id: str) -> dict[str, Workflow]:
    def like(change: Callable[[Workflow], object], *, without: str = "") -> Workflow:
        flow = world.flow(id=id)
        first = flow.add("first", world.act(["value", 1]))
        if without != "second":
            flow.add("second", world.act(["inputs"], inputs=first))
        change(flow)
        return flow

    return {
        "one more step": like(lambda flow: flow.add("third", world.act())),
        "one step less": like(lambda flow: None, without="second"),
        "other arguments": like(lambda flow: flow.add("second", world.act(["value", 3])), without="second"),
        "another dep": like(
            lambda flow: flow.add("second", world.act(["inputs"], inputs=1), deps="first"), without="second"
        ),
        "another actor": like(
            lambda flow: flow.add("second", world.actors.act_async.message(["inputs"]), deps="first"),
            without="second",
        ),
        "another flag": like(
            lambda flow: flow.add("second", world.act(["inputs"]), deps="first", ignore_cancelled=True),
            without="second",
        ),
    }


def test_another_graph_under_the_same_id_is_refused_and_changes_nothing(world: World) -> None:
    assert issubclass(WorkflowExists, BatonError)
    assert issubclass(WorkflowExists, ValueError)
    world.worker  # noqa: B018 - starts it
    id = new_id()
    flow = world.flow(id=id)
    first = flow.add("first", world.act(["value", 1]))
    flow.add("second", world.act(["inputs"], inputs=first))
    run = world.run(flow)
    run.wait(timeout=30_000)
    before = world.dump(id)
    for change, other in other_graphs(world, id).items():
        with pytest.raises(WorkflowExists, match=rf"workflow '{id}' exists with another graph"):
            world.run(other)
        assert world.dump(id) == before, change


def test_a_large_graph_that_is_refused_leaves_nothing_staged(world: World) -> None:
    id = new_id()
    world.finish(build(world, id))
    before = world.dump(id)
    with pytest.raises(WorkflowExists):
        world.run(build(world, id, steps=STAGED))
    assert world.dump(id) == before


def test_a_large_graph_that_is_there_already_leaves_nothing_staged(world: World) -> None:
    id = new_id()
    world.finish(build(world, id, steps=STAGED))
    before = world.dump(id)
    assert not world.run(build(world, id, steps=STAGED)).created
    assert world.dump(id) == before


@pytest.mark.parametrize("steps", [3, STAGED])
def test_of_many_threads_that_submit_the_same_workflow_one_starts_it(world: World, steps: int) -> None:
    world.worker  # noqa: B018 - starts it
    id = new_id()
    runs = at_once(6, lambda: world.run(build(world, id, steps=steps)))
    assert sorted(run.created for run in runs) == [False] * 5 + [True]
    assert_ran_once(world, runs[0])


SUBMITTER = """
import json, sys
import tests.support.actors as actors
from dramatiq_baton import Workflow

# As programs do it: names from a set, whose order differs from process to process.
flow = Workflow("flow", id=sys.argv[1])
names = {"first", "second", "third", "fourth"}
for name in names:
    flow.add(name, actors.act.message([["value", name]]))
flow.add("last", actors.act.message([["results"]]), deps=names)
print("ready", flush=True)
sys.stdin.readline()
run = flow.run()
run.wait(timeout=60_000)
print(json.dumps([run.created, run.results()]))
"""


def test_of_many_processes_that_submit_the_same_workflow_one_starts_it(world: World) -> None:
    world.worker  # noqa: B018 - starts it
    id = new_id()
    submitters = [
        subprocess.Popen(
            [sys.executable, "-c", SUBMITTER, id],
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed), **world.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    for submitter in submitters:
        assert submitter.stdout is not None
        assert submitter.stdout.readline() == "ready\n"
    for submitter in submitters:
        assert submitter.stdin is not None
        submitter.stdin.write("go\n")
        submitter.stdin.flush()
    outputs = [submitter.communicate(timeout=60)[0] for submitter in submitters]
    answers = [json.loads(output) for output in outputs]
    assert sorted(created for created, _ in answers) == [False] * 3 + [True]
    names = ("first", "second", "third", "fourth")
    assert all(results["last"] == {name: name for name in names} for _, results in answers)
    assert [world.notes(id).count(f"{step}|run|1") for step in (*names, "last")] == [1] * 5
