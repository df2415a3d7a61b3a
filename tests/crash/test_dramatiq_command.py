"""The same with the real ``dramatiq`` command, killed as a whole at some of its commands."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import pytest

from tests.support.forks import Zygote
from tests.support.world import default_broker

from .faults import FaultAt, Moment, Point
from .harness import Outcome, Stage, check, world_of
from .scenarios import DIAMOND

#: Where one script does the work of several, it is that script which is struck.
FAST = {("settle(left)", 1): ("advance(left)", 1), ("enqueue(join)", 1): ("advance(right)", 1)}


@pytest.mark.parametrize(
    ("point", "moment"),
    [
        (("claim(start)", 1), Moment.AFTER),
        (("settle(left)", 1), Moment.BEFORE),
        (("settle(left)", 1), Moment.AFTER),
        (("defer(right)", 1), Moment.AFTER),
        (("enqueue(join)", 1), Moment.BEFORE),
        (("ack", 2), Moment.BEFORE),
    ],
    ids=str,
)
def test_a_workflow_outlives_the_real_command(zygote: Zygote, url: str, point: Point, moment: Moment) -> None:
    if default_broker(url) == "fast":
        point = FAST.get(point, point)
    outcome = Outcome(point)
    with (
        world_of(url) as world,
        closing(Stage(zygote, world)) as stage,
        closing(FaultAt(url, point, moment)) as fault,
    ):
        behind = {"BATON_TEST_STATE_URL": fault.proxy.url, "BATON_TEST_BROKER_URL": fault.proxy.url}
        with world.worker_running(env=behind, threads=1) as worker:
            fault.strike = lambda: os.killpg(worker.process.pid, signal.SIGKILL)
            fault.tell = stage.tell
            run = DIAMOND.submit(world.actors, "crashed")
            stage.wait_until(run, event="workflow_finished")
            assert fault.struck
        with world.worker_running():
            finished = stage.finish(run, outcome)
        if finished:
            stage.redeliver()
            check(stage, DIAMOND, run, outcome, deaths=1)
    assert not outcome.wrong
