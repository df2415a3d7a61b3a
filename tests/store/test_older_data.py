"""What 0.1.0 wrote is worked on: a worker may be upgraded in the middle of a workflow."""

from __future__ import annotations

import msgpack
import pytest
import redis

from dramatiq_baton import StepState, WorkflowRun, WorkflowState
from tests.support.by_hand import ByHand
from tests.support.world import World


def _as_0_1_0_wrote_it(world: World, run: WorkflowRun) -> None:
    """Take away all that 0.1.0 didn't write."""
    raw = redis.Redis.from_url(world.url)
    workflow = f"{world.namespace}:workflow:{{{run.id}}}"
    raw.hdel(workflow, "run", "started", "callbacks")
    for step, packed in raw.hgetall(f"{workflow}:steps").items():
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(packed)
        header = unpacker.unpack()[:7]
        raw.hset(f"{workflow}:steps", step, msgpack.packb(header) + packed[unpacker.tell() :])
    for step, packed in raw.hgetall(f"{workflow}:state").items():
        raw.hset(f"{workflow}:state", step, msgpack.packb(msgpack.unpackb(packed)[:15]))
    raw.delete(*(raw.keys(f"{world.namespace}:index:workflows:*") or [b"none"]))
    raw.close()


@pytest.fixture
def halfway(own_world: World, by_hand: ByHand) -> WorkflowRun:
    flow = own_world.flow()
    first = flow.add("first", own_world.act(["value", 1]))
    flow.add("second", own_world.act(["inputs"], inputs=[first]), deps="first")
    run = own_world.run(flow)
    by_hand.complete(run, "first", 1)
    _as_0_1_0_wrote_it(own_world, run)
    return run


def test_a_workflow_goes_on_where_it_was(own_world: World, halfway: WorkflowRun) -> None:
    assert halfway.status().steps["second"].state is StepState.QUEUED
    own_world.worker  # noqa: B018 - starts it
    status = halfway.wait(timeout=30_000)
    assert status.state is WorkflowState.COMPLETED
    assert status.started_at == status.created_at
    assert halfway.result("second") == [1]


def test_it_may_be_cancelled_and_retried(own_world: World, halfway: WorkflowRun) -> None:
    assert halfway.cancel() == 1
    assert halfway.status().state is WorkflowState.CANCELLED
    assert halfway.retry() == 1
    own_world.worker  # noqa: B018 - starts it
    assert halfway.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert halfway.results() == {"first": 1, "second": [1]}
