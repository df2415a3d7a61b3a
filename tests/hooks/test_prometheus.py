"""Contract 2: beside Dramatiq's ``Prometheus``, which counts a step's messages as it counts any."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

from dramatiq_baton import StepState
from dramatiq_baton.embedded import free_port
from tests.support.world import World


def _metrics(port: int, actor: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    found = re.findall(rf'^dramatiq_(\w+){{actor_name="{actor}",[^}}]*}} (\S+)$', text, re.MULTILINE)
    totals: dict[str, float] = {}  # over all queues: a delayed message is in on one, and out on another
    for name, value in found:
        totals[name] = totals.get(name, 0) + float(value)
    return totals


@pytest.mark.parametrize("position", ["first", "last"])
def test_prometheus_counts_steps(own_world: World, tmp_path: Path, position: str) -> None:
    world, port = own_world, free_port()
    env = {
        "dramatiq_prom_db": str(tmp_path / "metrics"),
        "dramatiq_prom_host": "127.0.0.1",
        "dramatiq_prom_port": str(port),
        "BATON_TEST_PROMETHEUS": position,
    }
    flow = world.flow(ignore_discarded=True)
    flow.add("a", world.act(["snooze", 20], ["fail", "boom"], ["value", 1]))
    flow.add("b", world.act(["discard", "no such page"]))
    flow.add("c", world.act(["value", 2]), deps=["a", "b"])
    with world.worker_running(module="tests.support.actors_with_prometheus", env=env) as worker:
        worker.wait_log("Fork process 'dramatiq.middleware.prometheus:_run_exposition_server' is ready")
        run = world.run(flow)
        assert run.wait(timeout=30_000).counts == {StepState.COMPLETED: 2, StepState.DISCARDED: 1}
        # The last step's hooks end a moment after its workflow; a plain message behind it ends later still.
        world.actors.plain.send("prometheus", "last")
        assert world.redis.blpop([f"{world.namespace}:probe:prometheus"], timeout=30)
        metrics = _metrics(port, "act")
        log = worker.stop()
    assert metrics["messages_total"] == 5  # a three times, b and c once
    assert metrics["message_errors_total"] == 1
    assert metrics["message_rejects_total"] == 1
    assert metrics["messages_inprogress"] == 0
    assert metrics["delayed_messages_inprogress"] == 0
    assert "Unexpected failure" not in log
