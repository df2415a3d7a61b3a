"""Contract 2: an actor that takes its worker process down."""

from __future__ import annotations

from typing import Any

from dramatiq_baton import StepState, WorkflowRun
from tests.support.world import World

#: Leases that run out soon, so that the rescue comes soon.
SHORT_LEASES = {"BATON_TEST_LEASE_TTL": "500"}


#: What takes a worker down once it is told to; see :func:`_run`.
DEATHS = [["die when", "death 0"], ["die when", "death 1"]]


def _run(world: World, *orders: Any, deaths: int) -> WorkflowRun:
    """Run a step that takes so many workers down, one after the other, and is finished by another."""
    flow = world.flow()
    flow.add("a", world.act(*orders))
    run = world.run(flow)
    for number in range(deaths):
        worker = world.start_worker(env=SHORT_LEASES)
        world.actors.let_go(f"death {number}")
        worker.process.wait(30)
        worker.kill()
    with world.worker_running(env=SHORT_LEASES):
        run.wait(timeout=30_000)
    return run


def test_a_step_whose_worker_was_killed_is_rescued(own_world: World) -> None:
    run = _run(own_world, *DEATHS[:1], ["attempt"], deaths=1)
    assert run.result("a") == 2
    assert own_world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]
    rescued = next(event for event in run.events() if event.event == "snoozed")
    assert rescued.reason == "its worker died or lost touch"


def test_a_rescue_consumes_no_retry(own_world: World) -> None:
    run = _run(own_world, *DEATHS[:1], ["fail", "one"], ["fail", "two"], ["attempt"], deaths=1)
    assert run.result("a") == 4  # max_retries=2, and both were left


def test_a_rescue_gives_no_retry_back(own_world: World) -> None:
    run = _run(
        own_world, ["fail", "one"], *DEATHS[:1], ["fail", "two"], ["fail", "three"], ["attempt"], deaths=1
    )
    assert run.status().steps["a"].reason == "ValueError: three"
    assert own_world.runs_of(run, "a") == 4


def test_a_step_that_took_max_rescues_workers_down_is_discarded(own_world: World) -> None:
    run = _run(own_world, *DEATHS, ["value", "too late"], deaths=2)  # max_rescues=2
    step = run.status().steps["a"]
    assert step.state is StepState.DISCARDED
    assert step.reason == "its worker died 2 times while running it (max_rescues)"
    assert own_world.runs_of(run, "a") == 2
