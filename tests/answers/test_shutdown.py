"""Contract 2: a step that is interrupted by its worker's shutdown is queued again at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest

from dramatiq_baton import WorkflowRun
from tests.support.processes import WorkerProcess
from tests.support.world import World

#: No rescue comes in time to help.
NO_RESCUE = {"BATON_TEST_RESCUE_INTERVAL": "600000"}


@pytest.fixture
def two_workers(own_world: World) -> Iterator[tuple[WorkerProcess, WorkerProcess]]:
    with (
        own_world.worker_running(env=NO_RESCUE, wait=False) as one,
        own_world.worker_running(env=NO_RESCUE, wait=False) as two,
    ):
        yield one.wait_ready(), two.wait_ready()


def _interrupt(
    world: World, workers: tuple[WorkerProcess, WorkerProcess], message: dramatiq.Message[Any], name: str
) -> WorkflowRun:
    """Run a one-step workflow, and shut down the worker that runs it; the other one ends it."""
    flow = world.flow()
    flow.add("a", message)
    run = world.run(flow)
    executing = next(event for event in run.events(follow=True) if event.event == "executing")
    parent = {str(child): worker for worker in workers for child in worker.children()}
    stopped = parent[executing.worker.split(":")[1]]
    stopped.terminate()
    run.wait(timeout=30_000)
    world.actors.let_go(name)  # an actor that can't be interrupted must not hold its worker up
    stopped.stop()
    return run


def test_a_step_interrupted_by_shutdown_is_queued_again_at_once(
    own_world: World, two_workers: tuple[WorkerProcess, WorkerProcess]
) -> None:
    message = own_world.actors.act_until_shutdown.message([["wait for", "never"], ["attempt"]])
    run = _interrupt(own_world, two_workers, message, "never")
    assert run.result("a") == 2  # though max_retries=0
    events = [event for event in run.events() if event.step == "a"]
    assert [event.event for event in events] == ["executing", "snoozed", "executing", "completed"]
    assert (events[1].delay, events[1].reason) == (0, "its worker was shut down")


def test_a_shutdown_consumes_no_retry(
    own_world: World, two_workers: tuple[WorkerProcess, WorkerProcess]
) -> None:
    message = own_world.actors.act.message_with_options(
        args=([["wait for", "never"], ["fail", "one"], ["fail", "two"], ["attempt"]],), notify_shutdown=True
    )
    run = _interrupt(own_world, two_workers, message, "never")
    assert run.result("a") == 4  # max_retries=2, and both were left


def test_a_shutdown_that_dramatiq_reports_as_the_cause_of_another_error_is_one_too(
    own_world: World, two_workers: tuple[WorkerProcess, WorkerProcess]
) -> None:
    # A coroutine that blocks its event loop doesn't end when it is cancelled; Dramatiq then raises a
    # RuntimeError whose cause is the shutdown.
    message = own_world.actors.act_async.message_with_options(
        args=([["wait for", "later"], ["attempt"]],), notify_shutdown=True, max_retries=0
    )
    run = _interrupt(own_world, two_workers, message, "later")
    assert run.result("a") == 2
    assert own_world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]


def test_a_step_that_isnt_to_be_interrupted_ends_before_its_worker_does(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["wait for", "told"], ["attempt"]))
    with own_world.worker_running(env=NO_RESCUE) as worker:
        run = own_world.run(flow)
        assert next(event for event in run.events(follow=True) if event.event == "executing")
        worker.terminate()
        worker.wait_log("Stopping worker process")
        own_world.actors.let_go("told")
        run.wait(timeout=30_000)
        worker.stop()
    assert run.result("a") == "waited"
    assert own_world.events_of(run, "a") == ["executing", "completed"]
