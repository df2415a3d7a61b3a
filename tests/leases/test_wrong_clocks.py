"""Workers whose clocks are wrong do no harm: what decides anything is read from the server's clock.

The clock is ``time.time()`` of a real worker process, set wrong before anything else is imported there (see
``tests/support/wrong_clock``). That doesn't touch ``datetime.now()`` and the like, by which nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from dramatiq_baton import WorkflowRun
from tests.support.monitor import monitoring
from tests.support.processes import ROOT, WorkerProcess
from tests.support.world import ABOUT_FINISHED, World

LEASE_TTL = 1500
LEASES = {"BATON_TEST_LEASE_TTL": str(LEASE_TTL)}
HOUR = 3600
WRONG_CLOCK = ROOT / "tests" / "support" / "wrong_clock"

off = pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["an hour fast", "an hour slow"])


@contextmanager
def _wrong_clock(world: World, off: int, *, threads: int = 4, **env: str) -> Iterator[WorkerProcess]:
    """A worker whose clock is wrong by so many seconds."""
    env = {**LEASES, "PYTHONPATH": str(WRONG_CLOCK), "BATON_TEST_CLOCK_OFF": str(off), **env}
    with world.worker_running(env=env, threads=threads) as worker:
        yield worker


def _now(world: World) -> int:
    """The server's clock, in ms."""
    client: Any = world.redis
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def _wait_until_executing(run: WorkflowRun, *steps: str) -> None:
    left = set(steps)
    for event in run.events(follow=True):
        if event.event == "executing":
            left.discard(event.step)
        if not left:
            return


def _indexed(world: World) -> list[tuple[str, float]]:
    """Every entry of every index by time: which index, and what time."""
    client: Any = world.redis
    return [
        (key.split(":")[2], at)
        for key in world.keys("index:*")
        if not key.endswith(ABOUT_FINISHED) and client.type(key) == "zset"
        for _, at in client.zrange(key, 0, -1, withscores=True)
    ]


@off
def test_it_runs_workflows_as_any_other(own_world: World, off: int) -> None:
    flow = own_world.flow()
    first = flow.add("first", own_world.act(["fail", "once"], ["snooze", 10], ["attempt"]))
    flow.add("last", own_world.act(["inputs"], inputs=[first]))
    with _wrong_clock(own_world, off):
        run = own_world.run(flow)
        run.wait(timeout=30_000)
        with redis.Redis.from_url(own_world.broker_url) as client:
            found: Any = client.zrange(f"{own_world.namespace}:broker:__heartbeats__", 0, -1, withscores=True)
    by_how_much = [round((at - _now(own_world)) / 1000 / HOUR) for _, at in found]
    assert off // HOUR in by_how_much  # so it does have a wrong clock
    assert run.results() == {"first": 3, "last": [3]}
    assert [own_world.runs_of(run, step) for step in ("first", "last")] == [3, 1]


@off
def test_every_time_that_it_writes_down_is_the_servers(own_world: World, off: int) -> None:
    flow = own_world.flow()
    flow.add("snoozed", own_world.act(["snooze", 60_000], ["value", 1]))
    first = flow.add("first", own_world.act(["value", 1]))
    flow.add("one", own_world.act(["wait for", "told"]))
    flow.add("two", own_world.act(["wait for", "told"]))
    flow.add("queued", own_world.act(["inputs"], inputs=first))
    before = _now(own_world)
    with _wrong_clock(own_world, off, threads=2, BATON_TEST_RESCUE_INTERVAL="600000"):
        run = own_world.run(flow)
        _wait_until_executing(run, "one", "two")  # so both threads have done all before, and do nothing more
        times, after = _indexed(own_world), _now(own_world)
        status, events = run.status(), list(run.events())
    assert {name: step.state for name, step in status.steps.items()} == {
        "snoozed": "snoozed", "first": "completed", "one": "executing", "two": "executing", "queued": "queued"
    }  # fmt: skip
    overdue = 60_000 + LEASE_TTL
    allowed = {
        "leases": (before, after + LEASE_TTL),
        "queued": (before, after),
        "waiting": (before + overdue, after + overdue),
        "workflows": (before, after),
    }
    assert sorted(index for index, _ in times) == ["leases", "leases", "queued", "waiting", "workflows"]
    assert all(allowed[index][0] <= at <= allowed[index][1] for index, at in times)
    assert all(before <= event.ts <= after for event in events)
    steps = status.steps.values()
    assert all(before <= at <= after for step in steps for at in (step.started_at, step.finished_at) if at)


def test_a_slow_clock_lets_no_lease_run_out_early(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["after", "told", ["attempt"]]))
    with (
        _wrong_clock(own_world, -HOUR),
        monitoring(own_world.url, own_world.namespace) as monitor,
    ):
        run = own_world.run(flow)
        monitor.until(lambda seen: seen.runs("renew"), times=4)  # longer than a lease
        own_world.actors.let_go("told")
        run.wait(timeout=30_000)
    assert own_world.events_of(run, "a") == ["executing", "completed"]


def test_a_worker_with_a_fast_clock_takes_no_step_away_from_a_living_one(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["after", "told", ["attempt"]]))
    with own_world.worker_running(env=LEASES):
        run = own_world.run(flow)
        _wait_until_executing(run, "a")
        # By its clock all other workers have been dead for an hour, so its broker gives their messages back, too.
        with (
            _wrong_clock(own_world, HOUR, BATON_TEST_HEARTBEAT="60000") as wrong,
            monitoring(own_world.url, own_world.namespace) as monitor,
        ):
            (pid,) = wrong.children()
            monitor.until(lambda seen: seen.runs("sweep") and seen.has(f":{pid}:"), times=10)
            own_world.actors.let_go("told")
            run.wait(timeout=30_000)
    assert own_world.events_of(run, "a") == ["executing", "completed"]
    assert own_world.runs_of(run, "a") == 1


def test_a_worker_with_a_slow_clock_rescues_the_steps_of_a_dead_one(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["die"], ["attempt"]))
    with own_world.worker_running(env=LEASES) as killed:
        run = own_world.run(flow)
        killed.wait_ended()
    with _wrong_clock(own_world, -HOUR):
        run.wait(timeout=30_000)
    assert run.result("a") == 2
    assert own_world.events_of(run, "a") == ["executing", "snoozed", "executing", "completed"]


def test_what_a_worker_with_a_fast_clock_snoozed_runs_in_time_on_another(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["snooze", 1000], ["attempt"]))
    with _wrong_clock(own_world, HOUR):
        run = own_world.run(flow)
        assert any(event.event == "snoozed" for event in run.events(follow=True))
    # The delayed message is due in an hour; the rescue knows better.
    with own_world.worker_running(env=LEASES):
        run.wait(timeout=30_000)
    assert run.result("a") == 2
