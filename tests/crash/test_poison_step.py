"""A poison step takes every worker down that runs it: it is discarded at last, and the others go on meanwhile."""

from __future__ import annotations

from dramatiq_baton import StepState, WorkflowState
from tests.support import story
from tests.support.world import World

from .harness import world_of

DEATHS = 3
#: Leases that run out soon; three workers start and die in their time.
ENV = {"BATON_TEST_LEASE_TTL": "500", "BATON_TEST_MAX_RESCUES": str(DEATHS)}


def test_a_poison_step_is_discarded_after_max_rescues_while_other_steps_go_on(url: str) -> None:
    with world_of(url) as world:
        _poison(world)


def _poison(world: World) -> None:
    flow = world.flow()
    # It dies only once the others of its round are done: with them the worker would take more than itself down.
    poison = [["die when", f"round {number}"] for number in range(DEATHS)]
    flow.add("poison", world.act(*poison, ["value", "too late"]))
    flow.add("victim", world.act(["value", 1]), deps="poison")
    before = None
    for number in range(DEATHS):
        for name in (f"plain {number}", f"retried {number}"):
            orders = [["fail", "boom"], ["attempt"]] if name.startswith("retried") else [["attempt"]]
            flow.add(name, world.act(*orders), deps=[before] if before else [])
        before = f"retried {number}"
    run = world.run(flow)
    for number in range(DEATHS):
        with world.worker_running(env=ENV) as worker:
            for event in run.events(follow=True):
                if event.event == "completed" and event.step == f"retried {number}":
                    break
            world.actors.let_go(f"round {number}")
            worker.process.wait(30)
    with world.worker_running(env=ENV):
        status = run.wait(timeout=30_000)
    assert status.state is WorkflowState.FAILED
    assert status.steps["poison"].reason == f"its worker died {DEATHS} times while running it (max_rescues)"
    assert status.steps["victim"].state is StepState.CANCELLED
    assert world.runs_of(run, "poison") == DEATHS
    others = {name: step.state for name, step in status.steps.items() if name[-1].isdigit()}
    assert set(others.values()) == {StepState.COMPLETED}
    assert not story.violations(status, list(run.events()), lease_ttl=500)
