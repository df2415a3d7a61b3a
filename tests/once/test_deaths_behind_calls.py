"""``step.once`` and the worker's end: killed behind the store, killed before it, told to stop."""

from __future__ import annotations

from typing import Any

from dramatiq_baton import WorkflowRun
from tests.support.world import World

#: Leases that run out soon, so that the rescue comes soon.
SHORT_LEASES = {"BATON_TEST_LEASE_TTL": "500"}


def _run_through_a_death(world: World, *orders: Any) -> WorkflowRun:
    """Run a step that takes one worker down, and is finished by another."""
    flow = world.flow()
    flow.add("a", world.act(*orders))
    worker = world.start_worker(
        env=SHORT_LEASES
    )  # what dies while it starts, the dramatiq command doesn't see
    run = world.run(flow)
    worker.process.wait(30)
    worker.kill()
    with world.worker_running(env=SHORT_LEASES):
        run.wait(timeout=30_000)
    return run


def _calls(notes: list[str]) -> list[str]:
    return [
        what.removeprefix("call ") for _, what, _ in (note.split("|") for note in notes) if "call" in what
    ]


def test_a_call_whose_value_was_stored_before_its_worker_died_is_not_made_again(own_world: World) -> None:
    run = _run_through_a_death(own_world, ["once", ["k"], ["die"]], ["once", ["k"], ["run"]])
    assert run.result("a") == 2
    assert _calls(own_world.notes(run)) == ["k"]


def test_one_during_which_its_worker_died_is_made_once_more(own_world: World) -> None:
    run = _run_through_a_death(own_world, ["once", ["k", "deadly", "last"], ["run"]])
    assert run.result("a") == 2
    assert _calls(own_world.notes(run)) == ["k", "deadly", "deadly", "last"]


def test_a_call_is_not_made_again_after_a_shutdown(own_world: World) -> None:
    orders = [["once", ["k"], ["wait for", "never"]], ["once", ["k"], ["run"]]]
    flow = own_world.flow()
    flow.add("a", own_world.actors.act_until_shutdown.message(orders))
    own_world.worker  # noqa: B018 - starts it
    run = own_world.run(flow)
    own_world.wait_for_waiting("never")
    own_world.stop_worker()
    own_world.worker  # noqa: B018 - starts another one
    run.wait(timeout=30_000)
    assert run.result("a") == 2
    assert _calls(own_world.notes(run)) == ["k"]
