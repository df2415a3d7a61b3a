"""``get_run()``, and what a handle says once the workflow's data is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import (
    BatonError,
    ConfigurationError,
    StepState,
    WorkflowNotFound,
    WorkflowRun,
    get_run,
)
from tests.support.by_hand import ByHand
from tests.support.world import World


@pytest.fixture
def run(own_world: World) -> WorkflowRun:
    flow = own_world.flow("brief")
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    return own_world.run(flow)


def test_it_gives_a_handle_of_the_same_workflow(own_world: World, by_hand: ByHand, run: WorkflowRun) -> None:
    found = get_run(run.id, own_world.broker)
    assert (found.id, found.name) == (run.id, "brief")
    assert (run.created, found.created) == (True, False)
    by_hand.complete(run, "a", 1)
    assert found.status() == run.status()
    assert found.status().counts == {StepState.COMPLETED: 1, StepState.QUEUED: 1}
    assert found.result("a") == 1
    assert list(found.events()) == list(run.events())


def test_without_a_broker_it_asks_the_global_one(own_world: World, run: WorkflowRun) -> None:
    before = dramatiq.get_broker()
    dramatiq.set_broker(own_world.broker)
    try:
        assert get_run(run.id).name == "brief"
    finally:
        dramatiq.set_broker(before)


def test_a_broker_without_the_middleware_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no BatonMiddleware"):
        get_run("any", StubBroker())


@pytest.mark.parametrize("id", ["unknown", "all", "*", "", "{x}", "x" * 10_000, "\x00"])
def test_an_unknown_id_is_not_found(own_world: World, run: WorkflowRun, id: str) -> None:
    assert issubclass(WorkflowNotFound, BatonError)
    assert issubclass(WorkflowNotFound, LookupError)
    with pytest.raises(WorkflowNotFound, match="there is no workflow"):
        get_run(id, own_world.broker)


@pytest.mark.one_server("the other namespace has no braces, which a cluster refuses")
def test_a_workflow_of_another_namespace_is_not_found(
    valkey_url: str, own_world: World, run: WorkflowRun
) -> None:
    other = World(own_world.url)
    try:
        with pytest.raises(WorkflowNotFound):
            get_run(run.id, other.broker)
    finally:
        other.close()


READING: dict[str, Callable[[WorkflowRun], Any]] = {
    "status": lambda run: run.status(),
    "result": lambda run: run.result("a"),
    "results": lambda run: run.results(),
    "wait": lambda run: run.wait(timeout=10_000),
    "events": lambda run: list(run.events()),
    "following events": lambda run: list(run.events(follow=True)),
    "to_mermaid": lambda run: run.to_mermaid(),
    "get_run": lambda run: get_run(run.id, run._runtime.broker),
}


@pytest.mark.parametrize("read", READING.values(), ids=READING.keys())
def test_once_its_data_is_gone_every_reader_says_so(
    own_world: World, by_hand: ByHand, run: WorkflowRun, read: Callable[[WorkflowRun], Any]
) -> None:
    by_hand.complete(run, "a", 1)
    by_hand.complete(run, "b", 2)
    read(run)
    for key in own_world.keys(f"workflow:{{{run.id}}}*"):
        own_world.redis.delete(key)
    with pytest.raises(WorkflowNotFound, match=f"there is no workflow '{run.id}'"):
        read(run)
