"""Contract 3, point 7: the gate takes the lease, counts the attempt, tells of it, and the actor runs."""

from __future__ import annotations

import os
import threading

from dramatiq_baton import StepState, Workflow
from tests.support.lab import Lab


def test_a_step_that_runs_is_executing_and_leased(lab: Lab) -> None:
    told = threading.Event()

    @lab.actor
    def work() -> None:
        lab.note("ran")
        assert told.wait(30)

    leases = f"{lab.world.namespace}:index:leases"
    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("ran")
        step = run.status().steps["a"]
        held = lab.world.redis.zrange(leases, 0, -1)
        told.set()
        run.wait(timeout=30_000)
    assert (step.state, step.attempt) == (StepState.EXECUTING, 1)
    assert step.started_at is not None
    assert step.finished_at is None
    assert [member.split("\x1f")[:2] for member in held] == [[run.id, "a"]]
    assert lab.world.redis.zrange(leases, 0, -1) == []


def test_the_event_tells_which_worker_it_is(lab: Lab) -> None:
    flow = Workflow("flow")
    flow.add("a", lab.actor(lambda: None, actor_name="work", queue_name="mine").message())
    run = lab.finish(flow)
    executing = next(event for event in run.events() if event.event == "executing")
    assert (executing.step, executing.actor, executing.queue, executing.attempt) == ("a", "work", "mine", 1)
    assert f":{os.getpid()}:" in executing.worker


def test_each_execution_counts_as_an_attempt(lab: Lab) -> None:
    @lab.actor
    def work() -> None:
        if lab.note("ran") < 3:
            raise ValueError("boom")

    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.finish(flow)
    assert [event.attempt for event in run.events() if event.event == "executing"] == [1, 2, 3]
    assert run.status().steps["a"].attempt == 3
