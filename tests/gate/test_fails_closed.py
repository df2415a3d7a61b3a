"""Contract 3: if Redis can't be asked, the actor must not run; once it can, the step runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from dramatiq_baton import Workflow, WorkflowRun
from tests.support.lab import Lab, Log
from tests.support.state_server import StateServer
from tests.support.world import World


@pytest.fixture
def impatient_lab(split_world: World, state_server: StateServer, valkey_url: str) -> Iterator[Lab]:
    """A lab that doesn't wait long for an answer of its state server."""
    url = f"{state_server.url}?socket_timeout=0.3&socket_connect_timeout=0.3"
    lab = Lab(split_world, broker_url=valkey_url, url=url)
    yield lab
    lab.close()


def _submit(lab: Lab) -> WorkflowRun:
    @lab.actor(max_retries=0)
    def work() -> int:
        return lab.note("ran")

    flow = Workflow("flow")
    flow.add("a", work.message())
    flow.add("b", work.message(), deps="a")
    return lab.run(flow)


def _stop(server: StateServer) -> Callable[[], None]:
    server.stop()
    return server.start


def _freeze(server: StateServer) -> Callable[[], None]:
    server.freeze()
    return server.thaw


def _refuse_writes(server: StateServer) -> Callable[[], None]:
    """As a primary does that has lost its replicas."""
    client = redis.Redis.from_url(server.url)
    client.config_set("min-replicas-to-write", 1)

    def undo() -> None:
        client.config_set("min-replicas-to-write", 0)
        client.close()

    return undo


def _become_a_replica(server: StateServer) -> Callable[[], None]:
    """As a primary that was failed over: it takes no writes any more."""
    client = redis.Redis.from_url(server.url)
    client.config_set("replica-serve-stale-data", "yes")
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    def undo() -> None:
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.close()

    return undo


def _run_out_of_memory(server: StateServer) -> Callable[[], None]:
    client = redis.Redis.from_url(server.url)
    client.config_set("maxmemory", 1)

    def undo() -> None:
        client.config_set("maxmemory", 0)
        client.close()

    return undo


@pytest.mark.parametrize("outage", [_stop, _freeze, _refuse_writes, _become_a_replica, _run_out_of_memory])
def test_no_actor_runs_while_redis_cant_be_asked_and_the_step_runs_afterwards(
    impatient_lab: Lab, state_server: StateServer, log: Log, outage: Any
) -> None:
    lab = impatient_lab
    run = _submit(lab)
    end = outage(state_server)
    try:
        with lab.working():
            log.wait(f"put a step back: Redis doesn't answer workflow='{run.id}' step='a'", times=2)
            assert lab.notes == []
            end()
            run.wait(timeout=60_000)
    finally:
        state_server.thaw()
    assert lab.notes == ["ran", "ran"]
    assert run.results() == {"a": 1, "b": 2}
    assert [event.attempt for event in run.events() if event.event == "executing"] == [1, 1]
    assert log.lines("dropped a message that can't be worked on") == []


def test_a_worker_on_its_own_module_waits_for_redis_too(
    split_world: World, state_server: StateServer
) -> None:
    world = split_world
    flow = world.flow()
    flow.add("a", world.act(["attempt"]))
    run = world.run(flow)
    state_server.stop()
    with world.worker_running() as worker:
        worker.wait_log("Redis doesn't answer; no step runs until it does")
        worker.wait_log("put a step back: Redis doesn't answer")
        state_server.start()
        run.wait(timeout=60_000)
    assert run.result("a") == 1
    assert world.runs_of(run, "a") == 1


def test_a_claim_that_redis_carries_out_after_all_is_nobodys_death(
    split_world: World, state_server: StateServer, valkey_url: str, log: Log
) -> None:
    """The worker gave up waiting for the gate's answer; the server had the question and answers it later."""
    url = f"{state_server.url}?socket_timeout=0.3&socket_connect_timeout=0.3"
    lab = Lab(split_world, broker_url=valkey_url, url=url, max_rescues=1, lease_ttl=1000)

    @lab.actor(max_retries=0)
    def work() -> int:
        return lab.note("ran")

    def flow() -> Workflow:
        flow = Workflow("flow")
        flow.add("a", work.message())
        return flow

    try:
        with lab.working(threads=1) as worker:
            lab.run(flow()).wait(timeout=30_000)  # now the thread has a connection
            worker.pause()
            run = lab.run(flow())
            state_server.freeze()
            worker.resume()
            log.wait(f"put a step back: Redis doesn't answer workflow='{run.id}' step='a'", times=2)
            state_server.thaw()
            run.wait(timeout=60_000)
    finally:
        state_server.thaw()
        lab.close()
    assert run.results() == {"a": 2}
    assert run.status().steps["a"].attempt == 1
