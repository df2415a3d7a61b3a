"""A worker that is told to stop hands back what it has not started: another one runs it at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dramatiq_baton import WorkflowRun
from tests.support.processes import WorkerProcess
from tests.support.world import World

#: No rescue comes in time to help, and a worker of one thread fetches ten messages.
ENV = {"BATON_TEST_RESCUE_INTERVAL": "600000", "dramatiq_queue_prefetch": "10"}
STEPS = [f"next{i}" for i in range(5)]


@contextmanager
def _one_thread(world: World) -> Iterator[WorkerProcess]:
    """A worker with one thread. Whatever it runs when the block ends, is told to end."""
    worker = world.start_worker(env=ENV, threads=1)
    try:
        yield worker
    finally:
        world.actors.let_go("told")
        worker.kill()


def _submit(world: World, *others: str) -> WorkflowRun:
    """Run a workflow of a step that takes long, and others behind it."""
    flow = world.flow()
    flow.add("long", world.act(["after", "told", ["value", "long"]]))
    for name in others:
        flow.add(name, world.act(["value", name]))
    return world.run(flow)


def _wait_until_long_is_executed(run: WorkflowRun) -> None:
    assert any(event.step == "long" and event.event == "executing" for event in run.events(follow=True))


def _stop(worker: WorkerProcess) -> None:
    """Tell a worker to stop, and wait until it knows."""
    worker.terminate()
    worker.wait_log("Shutting down...")


def _ran_on(run: WorkflowRun, step: str) -> int:
    """Wait until a step has completed; returns the process that it ran in."""
    events = run.events(follow=True)
    event = next(event for event in events if (event.step, event.event) == (step, "completed"))
    return int(event.worker.split(":")[1])


def test_what_a_stopping_worker_has_not_started_runs_elsewhere_at_once(own_world: World) -> None:
    run = _submit(own_world, *STEPS)  # before there is a worker, which then fetches all of it at once
    with _one_thread(own_world) as stopping:
        _wait_until_long_is_executed(run)
        assert own_world.redis.llen(f"{own_world.namespace}:broker:{own_world.actors.QUEUE}") == 0
        with _one_thread(own_world) as other:
            _stop(stopping)
            assert {_ran_on(run, name) for name in STEPS} == set(other.children())  # the long step still runs
            assert own_world.events_of(run, "long") == ["executing"]
            own_world.actors.let_go("told")
            run.wait(timeout=30_000)
    assert run.results() == {"long": "long", **{name: name for name in STEPS}}
    assert [own_world.runs_of(run, name) for name in ["long", *STEPS]] == [1] * 6


def test_a_stopping_worker_fetches_no_more(own_world: World) -> None:
    run = _submit(own_world)
    with _one_thread(own_world) as stopping:
        _wait_until_long_is_executed(run)
        _stop(stopping)
        flow = own_world.flow()
        for name in STEPS:
            flow.add(name, own_world.act(["value", name]))
        later = own_world.run(flow)  # while nobody else is there
        with _one_thread(own_world) as other:
            later.wait(timeout=30_000)
            assert {_ran_on(later, name) for name in STEPS} == set(other.children())
        run.wait(timeout=30_000)


def test_plain_messages_that_a_stopping_worker_holds_are_handed_back_by_dramatiq(own_world: World) -> None:
    run = _submit(own_world, *STEPS)
    for number in range(3):
        own_world.actors.plain.send("plain", str(number))
    with _one_thread(own_world) as stopping:
        _wait_until_long_is_executed(run)
        _stop(stopping)
        own_world.actors.let_go("told")
        stopping.stop()
    done = f"{own_world.namespace}:probe:plain"
    with _one_thread(own_world):
        values = [own_world.redis.blpop([done], timeout=30)[1] for _ in range(3)]  # type: ignore[index]
        assert sorted(values) == ["0", "1", "2"]
        run.wait(timeout=30_000)
