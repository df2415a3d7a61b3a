"""Contract 2: ``current_step()`` inside an actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import AsyncIO

from dramatiq_baton import Step, UnknownStep, Workflow, current_step
from tests.support.lab import Lab
from tests.support.world import World


def _tell() -> dict[str, Any]:
    step = current_step()
    assert step is not None
    return {
        "workflow_id": step.workflow_id,
        "workflow_name": step.workflow_name,
        "name": step.name,
        "attempt": step.attempt,
        "results": step.results,
        "result": step.result("dep"),
    }


def _actor_of_kind(lab: Lab, kind: str, work: Callable[[], Any]) -> Any:
    match kind:
        case "plain":
            return lab.actor(lambda: work(), actor_name="tell")
        case "async":
            lab.broker.add_middleware(AsyncIO())

            async def tell() -> Any:
                return work()

            return lab.actor(tell)
        case _:

            class Tell(dramatiq.GenericActor):
                class Meta:
                    actor = lab.actor
                    max_retries = 3

                def perform(self) -> Any:
                    return work()

            return Tell


@pytest.mark.parametrize("kind", ["plain", "async", "class-based"])
def test_an_actor_sees_its_step(lab: Lab, kind: str) -> None:
    def work() -> dict[str, Any]:
        if lab.note("run") == 1:
            raise ValueError("once")
        return _tell()

    actor = _actor_of_kind(lab, kind, work)
    flow = Workflow("my flow")
    flow.add("dep", lab.actor(lambda: {"x": 1}, actor_name="dep").message())
    flow.add("tell", actor.message(), deps="dep")
    run = lab.finish(flow)
    assert run.result("tell") == {
        "workflow_id": run.id,
        "workflow_name": "my flow",
        "name": "tell",
        "attempt": 2,
        "results": {"dep": {"x": 1}},
        "result": {"x": 1},
    }


@pytest.mark.parametrize("actor", ["act_async", "ActByClass"])
def test_in_a_worker_process_too(world: World, actor: str) -> None:
    flow = world.flow()
    flow.add("dep", world.act(["value", 1]))
    flow.add("a", getattr(world.actors, actor).message([["results"]]), deps="dep")
    assert world.finish(flow).result("a") == {"dep": 1}


def test_the_first_execution_is_attempt_1_and_each_further_one_counts(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.act(["snooze", 0], ["fail", "boom"], ["rate limit"], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 4
    assert world.notes(run) == [f"a|run|{attempt}" for attempt in (1, 2, 3, 4)]
    assert run.status().steps["a"].attempt == 4


@pytest.mark.parametrize("name", ["other", "a", "no such step"])
def test_a_step_that_isnt_a_declared_dep_is_unknown(world: World, name: str) -> None:
    flow = world.flow()
    flow.add("other", world.act(["value", 1]))
    flow.add("dep", world.act(["value", 2]), deps="other")
    flow.add("a", world.act(["result of", name]), deps="dep")
    run = world.finish(flow)
    assert run.status().steps["a"].reason.startswith(f"UnknownStep: {name!r} isn't a dep of step 'a'")


def test_only_declared_deps_are_among_the_results(world: World) -> None:
    flow = world.flow()
    flow.add("other", world.act(["value", 1]))
    flow.add("dep", world.act(["value", 2]), deps="other")
    flow.add("a", world.act(["results"]), deps="dep")
    assert world.finish(flow).result("a") == {"dep": 2}


def test_outside_a_workflow_there_is_no_step(lab: Lab) -> None:
    seen: list[Step | None] = []

    @lab.actor
    def work() -> None:
        seen.append(current_step())
        lab.note("ran")

    assert current_step() is None
    with lab.working():
        work.send()
        lab.wait_note("ran")
    work()
    assert seen == [None, None]


def test_after_a_step_a_plain_message_on_the_same_thread_sees_none(lab: Lab) -> None:
    seen: list[Step | None] = []

    @lab.actor
    def work() -> None:
        seen.append(current_step())
        lab.note("ran")

    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working(threads=1):
        lab.run(flow).wait(timeout=30_000)
        work.send()
        lab.wait_note("ran", times=2)
    assert [step and step.name for step in seen] == ["a", None]


def test_an_actor_that_calls_another_actors_function_lends_it_its_step(lab: Lab) -> None:
    @lab.actor
    def inner() -> str:
        step = current_step()
        assert step is not None
        return step.name

    @lab.actor
    def outer() -> list[str]:
        return [inner(), inner.fn()]

    flow = Workflow("flow")
    flow.add("a", outer.message())
    run = lab.finish(flow)
    assert run.result("a") == ["a", "a"]
    assert lab.events_of(run, "a") == ["executing", "completed"]


def test_unknown_step_is_what_the_actor_gets(lab: Lab) -> None:
    @lab.actor
    def work() -> str:
        step = current_step()
        assert step is not None
        with pytest.raises(UnknownStep):
            step.result("b")
        return "survived"

    flow = Workflow("flow")
    flow.add("a", work.message())
    assert lab.finish(flow).result("a") == "survived"
