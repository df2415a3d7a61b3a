"""G9: no key outlives its purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import StepState, Workflow, WorkflowNotFound, WorkflowRun, WorkflowState, get_run
from dramatiq_baton.rescue import Rescue
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand, send_message
from tests.support.servers import bundled_server
from tests.support.world import ABOUT_FINISHED, World

RETENTION = 7 * 24 * 3600 * 1000
#: Keys of no particular workflow: bounded, and needed as long as there are workers.
LASTING = {"index:queues", "index:progress", "workflow:all:events"}
#: Keys that expire by themselves. The last of them tell of finished workflows for as long as these are kept.
PASSING = ("index:rescue", "index:turn:", *ABOUT_FINISHED)


def flows(world: World) -> dict[str, Workflow]:
    """Workflows that end in every way there is."""
    act, plainly = world.act, world.actors.act_async.message

    def flow(name: str) -> Workflow:
        return found.setdefault(name, world.flow(name))

    found: dict[str, Workflow] = {}
    flow("completed").add("a", act(["value", 1]))
    flow("retried").add("a", act(["fail", "x"], ["snooze", 5], ["value", 1]))
    flow("failed").add("a", act(["discard", "no"]))
    flow("failed").add("b", plainly([]), deps="a")
    flow("cancelled").add("a", act(["cancel", "no"]))
    flow("cancelled").add("b", plainly([]), deps="a")
    flow("called back").add("a", act(["discard", "no"]))
    flow("called back").add("b", act(), deps="a")
    flow("called back").add("c", act(), deps="b")
    flow("unstorable").add("a", act(["unstorable"]))
    first = flow("wide").add("a", act(["value", 1]))
    for number in range(250):
        flow("wide").add(f"{number}", plainly([["inputs"]], first))
    flow("wide failure").add("a", act(["discard", "no"]))
    for number in range(250):
        flow("wide failure").add(f"{number}", plainly([]), deps="a")
    return found


@pytest.fixture(scope="module", params=["valkey-ready", "valkey-eager", "redis-ready", "redis-eager"])
def finished(request: pytest.FixtureRequest) -> Iterator[tuple[World, dict[str, WorkflowRun]]]:
    """All of them, finished, in a namespace of their own."""
    kind, dispatch = request.param.split("-")
    shared: World = request.getfixturevalue(f"{kind}_world")
    world = World(shared.url)
    runs = {name: world.run(flow, dispatch=dispatch) for name, flow in flows(world).items()}
    world.worker  # noqa: B018 - starts it
    for run in runs.values():
        run.wait(timeout=60_000)
    yield world, runs
    world.close()


def keys_of(world: World, run: WorkflowRun) -> list[str]:
    return world.keys(f"workflow:{{{run.id}}}*")


def test_they_ended_as_they_should(finished: tuple[World, dict[str, WorkflowRun]]) -> None:
    _, runs = finished
    states = {name: run.status().state for name, run in runs.items()}
    assert {name for name, state in states.items() if state is WorkflowState.FAILED} == {
        *("failed", "called back", "unstorable", "wide failure")
    }
    assert {name for name, state in states.items() if state is WorkflowState.CANCELLED} == {"cancelled"}


def test_every_key_of_a_finished_workflow_has_the_retention_as_its_ttl(
    finished: tuple[World, dict[str, WorkflowRun]],
) -> None:
    world, runs = finished
    for name, run in runs.items():
        keys = keys_of(world, run)
        assert len(keys) >= 6, name
        for key in keys:
            assert RETENTION - 600_000 < world.redis.pttl(key) <= RETENTION, f"{name}: {key}"


def test_the_indexes_have_forgotten_them(finished: tuple[World, dict[str, WorkflowRun]]) -> None:
    world, runs = finished
    prefix = f"{world.namespace}:"
    of_workflows = {key for run in runs.values() for key in keys_of(world, run)}
    others = {key.removeprefix(prefix) for key in set(world.keys()) - of_workflows}
    ours = {key for key in others if not key.startswith(("broker:", "probe:", "gate:"))}
    passing = {key for key in ours if key.startswith(PASSING)}
    assert ours - LASTING <= passing
    assert all(world.redis.pttl(f"{prefix}{key}") != -1 for key in passing)
    # What stays is as large as the number of queues, whatever ran.
    assert world.redis.scard(f"{prefix}index:queues") == 1
    assert world.redis.hlen(f"{prefix}index:progress") <= 2


def test_a_message_that_comes_after_the_end_brings_no_key_back_to_stay(
    finished: tuple[World, dict[str, WorkflowRun]],
) -> None:
    world, runs = finished
    hand = ByHand(world)
    for name, run in runs.items():
        assert hand.claim(run, "a").word in ("cached", "settled"), name
    hand.close()
    for name, run in runs.items():
        assert all(world.redis.pttl(key) > 0 for key in keys_of(world, run)), name


def test_the_index_forgets_a_step_that_is_settled_without_being_started(
    own_world: World, by_hand: ByHand
) -> None:
    flow = own_world.flow()
    flow.add("refused", own_world.act())
    run = own_world.run(flow)
    by_hand.store.reject(Address(run.id, "refused"), 0, "too old")
    assert run.status().state is WorkflowState.FAILED
    left = [key for key in own_world.keys("index:*") if not key.endswith(ABOUT_FINISHED)]
    assert left == [f"{own_world.namespace}:index:queues"]


def test_the_keys_of_a_running_workflow_do_not_expire(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    run = own_world.run(flow)
    by_hand.complete(run, "a", 1)
    by_hand.claim(run, "b")
    assert {own_world.redis.ttl(key) for key in keys_of(own_world, run)} == {-1}


@pytest.fixture
def expiring() -> Iterator[tuple[World, redis.client.PubSub]]:
    """A world whose workflows go a second after their end, on a server that tells what expired."""
    server = bundled_server()
    url = f"redis://127.0.0.1:{server.port}/0"
    world = World(url, BATON_TEST_RETENTION="1000")
    world.redis.config_set("notify-keyspace-events", "Ex")
    told = world.redis.pubsub(ignore_subscribe_messages=True)
    told.subscribe("__keyevent@0__:expired")
    told.get_message(timeout=5)
    yield world, told
    told.close()
    world.close()
    server.terminate()


def test_when_the_retention_is_over_the_workflow_is_gone(
    expiring: tuple[World, redis.client.PubSub],
) -> None:
    world, told = expiring
    hand = ByHand(world)
    flow = world.flow()
    flow.add("a", world.act())
    flow.add("b", world.actors.act_async.message([]), deps="a")
    run = world.run(flow)
    hand.discard(run, "a")
    left = set(keys_of(world, run))
    while left:
        message = told.get_message(timeout=30)
        assert message is not None, f"these never expired: {left}"
        left.discard(message["data"])
    assert keys_of(world, run) == []
    with pytest.raises(WorkflowNotFound):
        get_run(run.id, world.broker)
    hand.close()


def test_a_message_of_a_workflow_that_is_gone_leaves_no_trace(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    send_message(own_world, run, "a")
    by_hand.complete(run, "a")
    for key in keys_of(own_world, run):
        own_world.redis.delete(key)
    with own_world.worker_running() as worker:
        worker.wait_log(lambda log: log.count("its workflow is unknown, or its data is gone") == 2)
    assert keys_of(own_world, run) == []


def test_the_rescue_removes_from_the_indexes_what_has_lost_its_workflow(own_world: World) -> None:
    hand = ByHand(own_world, lease_ttl=0)  # everything is overdue at once
    flow = own_world.flow()
    for name in ("queued", "executing", "snoozed"):
        flow.add(name, own_world.act())
    run = own_world.run(flow)
    hand.claim(run, "executing")
    token = hand.claim(run, "snoozed").token
    address = Address(run.id, "snoozed")
    hand.store.defer(address, token, StepState.SNOOZED, delay=0, retries=0, worker="")
    own_world.redis.zadd(f"{own_world.namespace}:index:spreading", {run.id: 1})
    index = {
        f"index:{kind}" for kind in ("leases", "waiting", "spreading", f"queued:{own_world.actors.QUEUE}")
    }
    assert index <= {key.removeprefix(f"{own_world.namespace}:") for key in own_world.keys("index:*")}
    for key in keys_of(own_world, run):
        own_world.redis.delete(key)
    Rescue(hand.store, own_world.broker, who="test", interval=50, max_rescues=3).look()
    left = {key.removeprefix(f"{own_world.namespace}:") for key in own_world.keys("index:*")}
    assert not left & index
    assert keys_of(own_world, run) == []
    hand.close()
