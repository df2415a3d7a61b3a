"""Contract 2: ``on_dep_discarded`` and ``on_dep_cancelled``."""

from __future__ import annotations

import pytest

from dramatiq_baton import (
    ConfigurationError,
    Step,
    StepState,
    Workflow,
    WorkflowState,
    current_step,
    workflow_actor,
)
from tests.support.lab import Lab
from tests.support.world import World


def _callbacks(world: World, run_id: str) -> list[str]:
    return [note for note in world.notes(run_id) if "|on_dep_" in note]


def test_on_dep_discarded_is_called_with_the_reason_and_the_step(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "no such page"]))
    flow.add("b", world.act(), deps="a")
    run = world.finish(flow)
    assert _callbacks(world, run.id) == ["b|on_dep_discarded|dep 'a' was discarded: no such page"]


def test_on_dep_cancelled_is_called_with_the_reason_and_the_step(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["cancel", "nothing to do"]))
    flow.add("b", world.act(), deps="a")
    run = world.finish(flow)
    assert _callbacks(world, run.id) == ["b|on_dep_cancelled|dep 'a' was cancelled: nothing to do"]


def test_further_down_the_dep_was_cancelled_whatever_began_it(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "no such page"]))
    flow.add("b", world.act(), deps="a")
    flow.add("c", world.act(), deps="b")
    run = world.finish(flow)
    reason = "dep 'a' was discarded: no such page"
    assert sorted(_callbacks(world, run.id)) == [
        f"b|on_dep_discarded|{reason}",
        f"c|on_dep_cancelled|{reason}",
    ]


def test_no_callback_is_called_for_an_ignored_dep(world: World) -> None:
    flow = world.flow(ignore_discarded=True, ignore_cancelled=True)
    flow.add("a", world.act(["discard", "no such page"]))
    flow.add("b", world.act(["cancel", "nothing to do"]))
    flow.add("c", world.act(), deps=["a", "b"])
    run = world.finish(flow)
    assert _callbacks(world, run.id) == []


def test_a_callback_is_called_once_though_many_deps_failed(world: World) -> None:
    flow = world.flow()
    for number in range(10):
        flow.add(f"a{number}", world.act(["discard", "no such page"]))
    flow.add("b", world.act(), deps=[f"a{number}" for number in range(10)])
    run = world.finish(flow)
    assert len(_callbacks(world, run.id)) == 1


def test_the_workflow_finishes_only_when_its_callbacks_were_run(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "no such page"]))
    for number in range(20):
        flow.add(f"b{number}", world.act(), deps="a")
    run = world.finish(flow)
    assert len(_callbacks(world, run.id)) == 20
    assert [event.event for event in run.events()].count("workflow_finished") == 1


def test_a_callback_that_raises_is_logged_and_changes_nothing(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "callback fails"]))
    flow.add("b", world.act(), deps="a")
    flow.add("c", world.act(), deps="b")
    run = world.finish(flow)
    log = world.worker.wait_log(f"a callback failed; its step stays cancelled workflow='{run.id}' step='b'")
    assert "RuntimeError: a callback that fails" in log
    status = run.status()
    assert status.state is WorkflowState.FAILED
    assert status.steps["b"].state is status.steps["c"].state is StepState.CANCELLED
    assert world.events_of(run, "b") == ["cancelled"]
    assert sorted(note.split("|")[:2] for note in _callbacks(world, run.id)) == [
        ["b", "on_dep_discarded"],
        ["c", "on_dep_cancelled"],
    ]


def test_an_actor_without_callbacks_is_cancelled_all_the_same(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["discard", "no such page"]))
    flow.add("b", world.actors.act_async.message([]), deps="a")
    run = world.finish(flow)
    assert run.status().steps["b"].state is StepState.CANCELLED


def test_a_callback_knows_its_step(lab: Lab) -> None:
    seen: list[Step] = []

    def callback(reason: str, step: Step) -> None:
        assert current_step() is step
        seen.append(step)
        lab.note(f"{step.workflow_name} {step.name} {step.attempt} {step.results}")

    @lab.actor
    def fail() -> None:
        raise KeyError

    @lab.actor
    def work() -> int:
        return 1

    @lab.actor(on_dep_discarded=callback)
    def told() -> None: ...

    flow = Workflow("my flow")
    flow.add("good", work.message())
    flow.add("bad", fail.message_with_options(max_retries=0), deps="good")
    flow.add("told", told.message(), deps=["good", "bad"])
    run = lab.finish(flow)
    assert lab.notes == ["my flow told 0 {'good': 1}"]
    assert seen[0].workflow_id == run.id


def test_a_callback_runs_in_a_worker_of_its_own_steps_queue(lab: Lab) -> None:
    @lab.actor(max_retries=0)
    def fail() -> None:
        raise KeyError

    @lab.actor(queue_name="elsewhere", on_dep_discarded=lambda reason, step: lab.note("told"))
    def told() -> None: ...

    flow = Workflow("flow")
    flow.add("a", fail.message())
    flow.add("b", told.message(), deps="a")
    run = lab.run(flow)
    with lab.working(queues={"default"}):
        assert any(event.event == "cancelled" for event in run.events(follow=True))
    assert run.status().state is WorkflowState.EXECUTING
    assert lab.notes == []
    with lab.working(queues={"elsewhere"}):
        run.wait(timeout=30_000)
    assert lab.notes == ["told"]


@pytest.mark.parametrize("name", ["on_dep_cancelled", "on_dep_discarded"])
def test_a_callback_that_cant_be_called_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be callable"):
        workflow_actor(**{name: "notify"})
