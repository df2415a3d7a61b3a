"""Contract 2: Baton works with every broker of Dramatiq. State is on Redis or Valkey, messages are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from dramatiq_baton import StepState, Workflow, WorkflowState
from tests.support.servers import machine_rabbitmq_url
from tests.support.world import World

Options = dict[str, Any]


@pytest.fixture(scope="module")
def rabbitmq_world(valkey_url: str) -> Iterator[World]:
    """Messages on RabbitMQ, state on Valkey."""
    world = World(valkey_url, BATON_TEST_BROKER="rabbitmq", BATON_TEST_RABBITMQ_URL=machine_rabbitmq_url())
    try:
        yield world
        assert not world.left_behind()
    finally:
        world.stop_worker()
        _delete_queues(world.broker)
        world.close()


def _delete_queues(broker: Any) -> None:
    assert isinstance(broker, RabbitmqBroker)
    for queue in broker.get_declared_queues():
        for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
            broker.channel.queue_delete(name)


@pytest.fixture(params=["rabbitmq", "redis elsewhere"])
def brokered_world(request: pytest.FixtureRequest) -> World:
    name = {"rabbitmq": "rabbitmq_world", "redis elsewhere": "split_world"}[request.param]
    world: World = request.getfixturevalue(name)
    return world


def _fan_out_and_in(world: World) -> Workflow:
    flow = world.flow(ignore_discarded=True)
    root = flow.add("root", world.act(["value", "page"]))
    parts = [flow.add(f"part{i}", world.act(inputs=[i, root])) for i in range(20)]
    parts += [
        flow.add("retried", world.act(["fail", "boom"], ["fail", "boom"], ["attempt"]), deps=[root]),
        flow.add("snoozed", world.act(["snooze", 50], ["rate limit"], ["attempt"]), deps=[root]),
        flow.add("discarded", world.act(["snooze", 10], ["discard", "no such page"]), deps=[root]),
        flow.add("async", world.actors.act_async.message([["fail", "boom"], ["attempt"]]), deps=[root]),
    ]
    flow.add("end", world.act(inputs=parts))
    return flow


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_of_every_kind_of_step_runs(brokered_world: World, dispatch: str) -> None:
    run = brokered_world.finish(_fan_out_and_in(brokered_world), dispatch=dispatch)
    assert run.result("end") == [*([i, "page"] for i in range(20)), 3, 3, None, 2]
    status = run.status()
    assert status.counts == {StepState.COMPLETED: 25, StepState.DISCARDED: 1}
    assert status.state is WorkflowState.FAILED
    assert [brokered_world.runs_of(run, name) for name in ("retried", "snoozed", "discarded", "end")] == [
        3,
        3,
        2,
        1,
    ]
    assert brokered_world.events_of(run, "retried")[-6:] == [
        "executing", "retryable", "executing", "retryable", "executing", "completed",
    ]  # fmt: skip


def test_failed_deps_cancel_and_call_back(brokered_world: World) -> None:
    world = brokered_world
    flow = world.flow()
    flow.add("a", world.act(["fail", "boom"]))
    flow.add("b", world.act(), deps="a")
    flow.add("c", world.act(), deps="b")
    run = world.finish(flow)
    assert run.status().counts == {StepState.DISCARDED: 1, StepState.CANCELLED: 2}
    reason = "dep 'a' was discarded: ValueError: boom"
    assert {f"b|on_dep_discarded|{reason}", f"c|on_dep_cancelled|{reason}"} <= set(world.notes(run))


def test_a_killed_worker_is_rescued(brokered_world: World) -> None:
    world = brokered_world
    world.stop_worker()
    short = {"BATON_TEST_LEASE_TTL": "500"}
    flow = world.flow()
    flow.add("a", world.act(["die when", "ready"], ["attempt"]))
    flow.add("b", world.act(["value", 1]), deps="a")
    run = world.run(flow)
    dying = world.start_worker(env=short)
    world.actors.let_go("ready")
    dying.process.wait(30)
    dying.kill()
    with world.worker_running(env=short):
        run.wait(timeout=30_000)
    assert run.results() == {"a": 2, "b": 1}


def test_an_interrupted_step_is_queued_again(brokered_world: World) -> None:
    world = brokered_world
    world.stop_worker()
    no_rescue = {"BATON_TEST_RESCUE_INTERVAL": "600000"}
    flow = world.flow()
    flow.add("a", world.actors.act_until_shutdown.message([["wait for", "never"], ["attempt"]]))
    with world.worker_running(env=no_rescue) as first:
        run = world.run(flow)
        assert any(event.event == "executing" for event in run.events(follow=True))
        first.stop()
    with world.worker_running(env=no_rescue):
        run.wait(timeout=30_000)
    assert run.result("a") == 2  # though max_retries=0


def test_a_delay_of_a_snooze_is_kept(brokered_world: World) -> None:
    flow = brokered_world.flow()
    flow.add("a", brokered_world.act(["snooze", 300], ["attempt"]))
    run = brokered_world.finish(flow)
    snoozed, again = [event for event in run.events() if event.step == "a"][1:3]
    assert again.ts - snoozed.ts >= 300


def test_a_delayed_workflow_is_cancelled_retried_and_completes(brokered_world: World) -> None:
    world = brokered_world
    world.worker  # noqa: B018 - starts it
    flow = world.flow()
    first = flow.add("first", world.act(["discard", "no"], ["attempt"]))
    flow.add("delayed", world.actors.act_async.message([["inputs"]], inputs=[first]), delay=200)
    flow.add("side", world.act(["wait for", "the end"], ["attempt"]))
    run = world.run(flow, delay=100)
    assert any((event.step, event.event) == ("first", "discarded") for event in run.events(follow=True))
    world.wait_for_waiting("the end")
    assert run.cancel("first look into it") == 1
    assert run.status().state is WorkflowState.CANCELLED
    world.actors.let_go("the end")
    assert run.retry() == 3
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.results() == {"first": 2, "side": 2, "delayed": [2]}
    (snoozed,) = [event for event in run.events() if event.event == "snoozed" and event.step == "delayed"]
    (started,) = [event for event in run.events() if event.event == "executing" and event.step == "delayed"]
    assert started.ts - snoozed.ts >= 200
