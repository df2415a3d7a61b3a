"""G3: what a worker says of a step that it lost the lease of is ignored, except a first result.

The worker is paused with SIGSTOP for longer than its lease, as a machine that is suspended or swaps would pause
it. Another worker is given the step; then the first one goes on, and answers.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from dramatiq_baton import StepState, WorkflowRun
from dramatiq_baton.store.scripts import script
from tests.support.monitor import Monitor, monitoring
from tests.support.servers import machine_redis_url
from tests.support.world import World

LEASES = {"BATON_TEST_LEASE_TTL": "1500"}


@pytest.fixture(scope="module", params=["valkey", "redis"])
def shared_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world with two workers, which all tests of this file pause in turn."""
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else machine_redis_url()
    world = World(url)
    for name in ("settle", "advance", "defer", "claim"):  # so that each call of a script is one command
        world.redis.script_load(script(name).text)
    with ExitStack() as stack:
        stack.callback(world.close)
        one, two = (stack.enter_context(world.worker_running(env=LEASES, wait=False)) for _ in range(2))
        one.wait_ready()
        two.wait_ready()
        yield world


class PausedWorker:
    """A step's worker, paused until another one was given the step."""

    def __init__(self, world: World, monitor: Monitor) -> None:
        self.world = world
        self.run: WorkflowRun
        self._flow = world.flow()
        self._monitor = monitor
        self._pid: int | None = None

    def pause(self, late: list[Any], **options: Any) -> None:
        """Run a step and pause its worker until it runs on another one.

        Its first run carries out the order ``late`` after :meth:`wake`, its second one returns "second" after
        :meth:`finish`.
        """
        id = self._flow.id
        orders = [["after", f"late {id}", late], ["after", f"second {id}", ["value", "second"]]]
        self._flow.add("a", self.world.actors.act.message_with_options(args=(orders,), **options))
        self.run = self.world.run(self._flow)
        executing = (event for event in self.run.events(follow=True) if event.event == "executing")
        pid = _pid_of(next(executing).worker)
        self._monitor.wait(
            lambda seen: seen.words[0] == "HINCRBY" and seen.has(self.run.id, "a|run")
        )  # noted
        os.kill(pid, signal.SIGSTOP)
        self._pid = pid
        assert _pid_of(next(executing).worker) != pid

    def wake(self) -> None:
        """Let the paused worker go on and answer."""
        self.world.actors.let_go(f"late {self._flow.id}")
        if self._pid is not None:
            os.kill(self._pid, signal.SIGCONT)
            self._pid = None

    def finish(self) -> None:
        """Let the second run end."""
        self.world.actors.let_go(f"second {self._flow.id}")
        self.run.wait(timeout=30_000)

    def leave(self) -> None:
        """Let both runs end, whatever the test came to: the next one needs the workers."""
        self.wake()
        self.world.actors.let_go(f"second {self._flow.id}")

    def wait_answered(self, name: str, *, token: int) -> None:
        """Wait until the holder of a token has told the store its answer with a script."""
        self._monitor.wait(lambda seen: seen.runs(name) and seen.words[10:12] == ("a", str(token)))

    def wait_result_answered(self, *, token: int) -> None:
        """The same for an answer that is a result: the fast path has a script of its own for that."""
        self._monitor.wait(
            lambda seen: (
                (seen.runs("settle") or seen.runs("advance")) and seen.words[10:12] == ("a", str(token))
            )
        )

    def wait_asked(self, *, seq: int) -> None:
        """Wait until a message with this number has come to the gate."""
        self._monitor.wait(
            lambda seen: seen.runs("claim") and seen.words[10] == "a" and seen.words[12] == str(seq)
        )


def _pid_of(worker: str) -> int:
    return int(worker.split(":")[1])


@pytest.fixture
def worker(shared_world: World) -> Iterator[PausedWorker]:
    with monitoring(shared_world.url, shared_world.namespace) as monitor:
        worker = PausedWorker(shared_world, monitor)
        try:
            yield worker
        finally:
            worker.leave()
    assert not shared_world.left_behind()


def _assert_only_the_second_run_counted(worker: PausedWorker) -> None:
    step = worker.run.status().steps["a"]
    assert (step.state, step.attempt) == (StepState.EXECUTING, 2)
    worker.finish()
    assert worker.run.result("a") == "second"
    events = [event for event in worker.run.events() if event.step == "a" and not event.cached]
    assert [event.event for event in events] == ["executing", "snoozed", "executing", "completed"]
    assert events[1].reason == "its worker died or lost touch"
    assert worker.world.runs_of(worker.run, "a") == 2


@pytest.mark.parametrize(
    "late",
    [["snooze", 10], ["rate limit"], ["raise snooze", 10]],
    ids=["snooze", "rate limit", "raised snooze"],
)
def test_a_late_snooze_is_ignored(worker: PausedWorker, late: list[Any]) -> None:
    worker.pause(late)
    worker.wake()
    worker.wait_answered("defer", token=1)
    _assert_only_the_second_run_counted(worker)


@pytest.mark.parametrize(
    "late",
    [["discard", "late"], ["cancel", "late"], ["unstorable"]],
    ids=["discard", "cancel", "unstorable result"],
)
def test_a_late_discard_or_cancel_is_ignored(worker: PausedWorker, late: list[Any]) -> None:
    worker.pause(late)
    worker.wake()
    worker.wait_answered("settle", token=1)
    _assert_only_the_second_run_counted(worker)


def test_a_late_failure_is_ignored(worker: PausedWorker) -> None:
    worker.pause(["fail", "late"], max_retries=0)
    worker.wake()
    worker.wait_answered("settle", token=1)
    _assert_only_the_second_run_counted(worker)


def test_a_late_retry_is_ignored_and_its_message_dropped(worker: PausedWorker) -> None:
    worker.pause(["fail", "late"])  # max_retries=2
    worker.wake()
    worker.wait_answered("defer", token=1)
    worker.wait_asked(seq=-1)
    _assert_only_the_second_run_counted(worker)


def test_a_late_first_result_counts_and_the_second_is_dropped(worker: PausedWorker) -> None:
    worker.pause(["value", "first"])
    worker.wake()
    worker.run.wait(timeout=30_000)
    assert worker.run.result("a") == "first"
    worker.finish()
    worker.wait_result_answered(token=1)
    worker.wait_result_answered(token=2)
    assert worker.run.result("a") == "first"
    assert worker.world.events_of(worker.run, "a") == ["executing", "snoozed", "executing", "completed"]


def test_a_late_result_does_not_replace_the_one_that_settled_the_step(worker: PausedWorker) -> None:
    worker.pause(["value", "first"])
    worker.finish()
    before = worker.world.dump(worker.run.id)
    worker.wake()
    worker.wait_result_answered(token=1)
    assert worker.world.dump(worker.run.id) == before
    assert worker.run.result("a") == "second"
