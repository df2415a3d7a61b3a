"""Contract 2: a dep whose data is gone counts as cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowRun, WorkflowState
from tests.support.dead_worker import complete
from tests.support.world import World


def _forget(world: World, run: WorkflowRun, *deps: str) -> None:
    results = f"{world.namespace}:workflow:{{{run.id}}}:results"
    assert world.redis.hdel(results, *deps) == len(deps)


def _run_until_snoozed(world: World, flow: Workflow, step: str) -> WorkflowRun:
    world.worker  # noqa: B018 - starts it
    run = world.run(flow)
    assert next(event for event in run.events(follow=True) if event.event == "snoozed").step == step
    return run


def _assert_cancelled(world: World, run: WorkflowRun, step: str, dep: str) -> None:
    found = run.status().steps[step]
    reason = f"the result of dep '{dep}' is gone"
    assert (found.state, found.reason) == (StepState.CANCELLED, reason)
    assert f"{step}|on_dep_cancelled|{reason}" in world.notes(run)
    assert run.status().state is WorkflowState.CANCELLED


def test_a_snoozed_step_whose_deps_result_is_gone_is_cancelled(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", 1]))
    flow.add("b", world.act(["snooze", 300], ["value", 2], inputs=a))
    flow.add("c", world.act(), deps="b")
    run = _run_until_snoozed(world, flow, "b")
    _forget(world, run, "a")
    run.wait(timeout=30_000)
    _assert_cancelled(world, run, "b", "a")
    assert world.runs_of(run, "b") == 1
    assert run.status().steps["c"].state is StepState.CANCELLED
    assert [note for note in world.notes(run) if note.startswith("c|")] == [
        "c|on_dep_cancelled|the result of dep 'a' is gone"
    ]


def test_a_queued_step_whose_deps_result_is_gone_is_cancelled(own_world: World) -> None:
    flow = own_world.flow()
    a = flow.add("a", own_world.act(["value", 1]))
    flow.add("b", own_world.act(["value", 2], inputs=a))
    run = own_world.run(flow)
    complete(run, "a", 1)
    assert run.status().steps["b"].state is StepState.QUEUED
    _forget(own_world, run, "a")
    with own_world.worker_running(env={"BATON_TEST_LEASE_TTL": "500"}):
        run.wait(timeout=30_000)
    _assert_cancelled(own_world, run, "b", "a")


@pytest.mark.parametrize("number", [2, 64, 65, 200])
def test_one_result_that_is_gone_among_many_is_enough(world: World, number: int) -> None:
    flow = world.flow()
    deps: list[Any] = [flow.add(f"a{i}", world.act(["value", i])) for i in range(number)]
    flow.add("b", world.act(["snooze", 300], ["inputs"], inputs=deps))
    run = _run_until_snoozed(world, flow, "b")
    _forget(world, run, f"a{number - 1}")
    run.wait(timeout=30_000)
    _assert_cancelled(world, run, "b", f"a{number - 1}")
    assert world.runs_of(run, "b") == 1


def test_a_result_that_is_gone_isnt_taken_for_none(world: World) -> None:
    flow = world.flow(ignore_cancelled=True, ignore_discarded=True)
    bad = flow.add("bad", world.act(["discard", "no such page"]))
    a = flow.add("a", world.act(["value", 1]))
    flow.add("b", world.act(["snooze", 300], ["inputs"], inputs=[bad, a]))
    run = _run_until_snoozed(world, flow, "b")
    _forget(world, run, "a")
    run.wait(timeout=30_000)
    assert run.status().steps["b"].reason == "the result of dep 'a' is gone"
