"""Workers of ``dramatiq-gevent``: the threads that renew leases and rescue are greenlets there."""

from __future__ import annotations

from dramatiq_baton import StepState
from tests.support.monitor import monitoring
from tests.support.world import World

GEVENT = {"command": "dramatiq-gevent", "env": {"BATON_TEST_LEASE_TTL": "1500"}}


def test_a_workflow_runs_under_gevent(own_world: World) -> None:
    flow = own_world.flow(ignore_discarded=True)
    first = flow.add("first", own_world.act(["fail", "once"], ["snooze", 10], ["attempt"]))
    parts = [flow.add(f"part{i}", own_world.act(["inputs"], inputs=first)) for i in range(20)]
    flow.add("bad", own_world.act(["discard", "bad"]), deps="first")
    flow.add("end", own_world.act(["inputs"], inputs=parts), deps="bad")
    with own_world.worker_running(**GEVENT):
        run = own_world.run(flow)
        run.wait(timeout=30_000)
    assert run.result("end") == [3] * 20
    assert run.status().counts == {StepState.COMPLETED: 22, StepState.DISCARDED: 1}


def test_a_long_step_keeps_its_lease_under_gevent(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["after", "told", ["attempt"]]))
    with (
        own_world.worker_running(**GEVENT),
        monitoring(own_world.url, own_world.namespace) as monitor,
    ):
        run = own_world.run(flow)
        monitor.until(lambda seen: seen.runs("renew"), times=7)  # one every third of lease_ttl
        own_world.actors.let_go("told")
        run.wait(timeout=30_000)
    assert own_world.events_of(run, "a") == ["executing", "completed"]
    assert own_world.runs_of(run, "a") == 1


def test_the_step_of_a_killed_worker_is_rescued_under_gevent(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["wait for", "never"], ["attempt"]))
    with (
        own_world.worker_running(**GEVENT) as killed,
        monitoring(own_world.url, own_world.namespace) as monitor,
    ):
        run = own_world.run(flow)
        monitor.wait(lambda seen: seen.words[0] == "HINCRBY" and seen.has(run.id, "a|run"))  # its actor runs
        killed.kill()
    with own_world.worker_running(**GEVENT):
        run.wait(timeout=30_000)
    assert run.result("a") == 2
    assert own_world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]


def test_a_gevent_worker_stops_in_good_order(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["value", 1]))
    with own_world.worker_running(**GEVENT) as worker:
        own_world.run(flow).wait(timeout=30_000)
        log = worker.stop()
    assert "Worker has been shut down." in log
    assert worker.process.returncode == 0
    assert "Traceback" not in log


def test_a_running_actor_is_interrupted_under_gevent(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["until interrupted", "told", "raise"]))
    with own_world.worker_running(**GEVENT):
        run = own_world.run(flow)
        own_world.wait_for_waiting("never")
        assert run.cancel(interrupt=True) == 1
        own_world.wait_for_waiting("told")
        own_world.actors.let_go("told")
        after = own_world.flow()
        after.add("a", own_world.act(["value", 1]))
        own_world.run(after).wait(timeout=30_000)
    assert own_world.notes(run) == ["a|run|1", "a|interrupted|"]
    assert own_world.events_of(run, "a") == ["executing", "cancelled"]
