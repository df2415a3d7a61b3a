"""A workflow of 1,200 steps: a fan-out to 1,100, all of whose results go into one step, and a chain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dramatiq_baton import StepState, WorkflowRun, WorkflowState, get_run
from tests.support import story
from tests.support.world import World

WIDTH, LENGTH = 1_100, 98
LEAVES = [f"leaf {number}" for number in range(WIDTH)]


@pytest.fixture(scope="module", params=["valkey", "redis"])
def large(request: pytest.FixtureRequest) -> Iterator[tuple[World, WorkflowRun]]:
    """The workflow, once it has finished, on each kind of server in turn."""
    world: World = request.getfixturevalue(f"{request.param}_world")
    flow = world.flow("large")
    root = flow.add("root", world.act(["value", "seed"]))
    leaves = [flow.add(name, world.act(["inputs"], inputs=[name, root])) for name in LEAVES]
    flow.add("join", world.act(["inputs"], inputs=leaves))
    for number in range(LENGTH):
        flow.add(
            f"link {number}", world.act(["value", number]), deps=[f"link {number - 1}"] if number else []
        )
    assert len(flow) == 1_200
    world.worker  # noqa: B018 - starts it
    run = world.run(flow)
    run.wait(timeout=110_000)
    yield world, run
    assert not [text for text in world.left_behind() if run.id in text]


def test_it_completes_and_the_status_tells_all_of_its_steps(large: tuple[World, WorkflowRun]) -> None:
    _, run = large
    status = run.status()
    assert status.state is WorkflowState.COMPLETED
    assert status.counts == {StepState.COMPLETED: 1_200}
    assert (status.total, len(status.steps)) == (1_200, 1_200)
    assert {step.state for step in status.steps.values()} == {StepState.COMPLETED}
    assert list(status.steps) == ["root", *LEAVES, "join", *(f"link {number}" for number in range(LENGTH))]
    assert status.steps["join"].deps == tuple(LEAVES)
    assert {step.attempt for step in status.steps.values()} == {1}


def test_the_join_got_every_result_in_its_place(large: tuple[World, WorkflowRun]) -> None:
    _, run = large
    assert run.result("join") == [[name, "seed"] for name in LEAVES]


def test_all_results_can_be_read(large: tuple[World, WorkflowRun]) -> None:
    _, run = large
    results = run.results()
    assert len(results) == 1_200
    assert all(results[name] == [name, "seed"] for name in LEAVES)
    assert all(results[f"link {number}"] == number for number in range(LENGTH))


def test_its_story_is_complete_and_keeps_the_guarantees(large: tuple[World, WorkflowRun]) -> None:
    world, run = large
    events = list(run.events())
    # A long queue may look like a lost one to the rescue, which sends again; that makes no step run again.
    assert sum(not event.cached for event in events) == 2 * 1_200 + 2
    assert story.violations(run.status(), events, lease_ttl=world.actors.LEASE_TTL) == []


def test_another_handle_sees_the_same(large: tuple[World, WorkflowRun]) -> None:
    world, run = large
    found = get_run(run.id, world.broker)
    assert found.status() == run.status()
    assert found.to_mermaid().count("-->") == 2 * WIDTH + LENGTH - 1


def test_a_wide_failure_cancels_everything_downstream(large: tuple[World, WorkflowRun]) -> None:
    world, _ = large
    flow = world.flow()
    flow.add("root", world.act(["discard", "no seed"]))
    for name in LEAVES:
        flow.add(name, world.actors.act_async.message([]), deps="root")
    flow.add("join", world.actors.act_async.message([]), deps=LEAVES)
    run = world.finish(flow)
    status = run.status()
    assert status.state is WorkflowState.FAILED
    assert status.counts == {StepState.DISCARDED: 1, StepState.CANCELLED: WIDTH + 1}
    assert {status.steps[name].reason for name in [*LEAVES, "join"]} == {"dep 'root' was discarded: no seed"}
    assert len(list(run.events())) == 2 + 2 + WIDTH + 1
