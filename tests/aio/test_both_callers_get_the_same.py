"""Whoever awaits gets what whoever blocks gets: the same answers, the same errors, word by word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

import dramatiq_baton
from dramatiq_baton import (
    BatonError,
    ConfigurationError,
    CycleError,
    EmptyWorkflow,
    NotAWorkflowActor,
    ResultMissing,
    StepState,
    UnknownStep,
    Workflow,
    WorkflowExists,
    WorkflowNotFound,
    WorkflowRun,
    WorkflowRunning,
    WorkflowState,
    WorkflowTimeout,
)
from tests.support.by_hand import ByHand
from tests.support.twins import Awaiting, Blocking
from tests.support.world import World


def start(world: World, *steps: str, **options: Any) -> WorkflowRun:
    flow = world.flow(**options)
    for name in steps:
        flow.add(name, world.act())
    return world.run(flow)


def _asking(owner: Any) -> list[str]:
    """The names of what there is in two kinds."""
    return [name.removesuffix("_async") for name in vars(owner) if name.endswith("_async")]


@pytest.mark.parametrize("owner", [Workflow, WorkflowRun, dramatiq_baton], ids=lambda owner: owner.__name__)
def test_both_kinds_take_the_same_arguments(owner: Any) -> None:
    for name in _asking(owner):
        blocking, awaiting = (signature(getattr(owner, each)) for each in (name, f"{name}_async"))
        assert awaiting.parameters == blocking.parameters


def test_whatever_asks_comes_in_two_kinds() -> None:
    assert _asking(Workflow) == ["run"]
    assert _asking(dramatiq_baton) == ["get_run"]
    methods = [name for name in vars(WorkflowRun) if not name.startswith("_") and not name.endswith("_async")]
    assert sorted(_asking(WorkflowRun)) == sorted(methods)


# What they get ----------------------------------------------------------------------------------


@pytest.fixture
def run(own_world: World, by_hand: ByHand) -> WorkflowRun:
    """A workflow that has failed: one step of two completed, the other was discarded."""
    run = start(own_world, "a", "b")
    by_hand.complete(run, "a", {"x": (1, None, 2**70)})
    by_hand.discard(run, "b", "no such page")
    return run


READ: dict[str, tuple[str, tuple[Any, ...]]] = {
    "status": ("status", ()),
    "result": ("result", ("a",)),
    "results": ("results", ()),
    "wait": ("wait", (30_000,)),
    "wait for ever": ("wait", ()),
    "events": ("events", ()),
    "events from a time": ("events", (datetime(2020, 1, 1, tzinfo=UTC),)),
    "to_mermaid": ("to_mermaid", ()),
}


@pytest.mark.parametrize(("method", "args"), READ.values(), ids=READ.keys())
def test_what_is_read_is_the_same(run: WorkflowRun, method: str, args: tuple[Any, ...]) -> None:
    got = Awaiting().call(run, method, *args)
    assert got == Blocking().call(run, method, *args)
    assert got


def test_a_story_is_the_same_from_any_event_on(run: WorkflowRun) -> None:
    story = list(run.events())
    for at, event in enumerate(story):
        for follow in (False, True):
            assert Awaiting().call(run, "events", event.id, follow=follow) == story[at + 1 :]


def test_both_submit_the_same(own_world: World, caller: Blocking) -> None:
    def flow() -> Workflow:
        flow = own_world.flow("same", id="same")
        flow.add("a", own_world.act())
        flow.add("b", own_world.act(), deps="a")
        return flow

    first = caller.call(flow(), "run", broker=own_world.broker)
    assert (first.id, first.name, first.created) == ("same", "same", True)
    assert first.status().counts == {StepState.QUEUED: 1, StepState.PENDING: 1}
    again = caller.call(flow(), "run", broker=own_world.broker)
    assert (again.id, again.name, again.created) == ("same", "same", False)
    assert [event.event for event in first.events()] == ["workflow_started"]
    found = caller.get_run("same", own_world.broker)
    assert (found.id, found.name, found.created) == ("same", "same", False)


def test_both_cancel_and_retry_the_same(own_world: World, by_hand: ByHand, caller: Blocking) -> None:
    run = start(own_world, "a", "b", "c")
    by_hand.complete(run, "a")
    assert caller.call(run, "cancel", "enough", interrupt=True) == 2
    assert caller.call(run, "cancel") == 0
    status = run.status()
    assert (status.state, status.steps["b"].reason) == (WorkflowState.CANCELLED, "enough")
    assert caller.call(run, "retry") == 2
    assert run.status().counts == {StepState.COMPLETED: 1, StepState.QUEUED: 2}


def test_both_begin_delayed_workflows_later(own_world: World, caller: Blocking) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = caller.call(flow, "run", broker=own_world.broker, delay=timedelta(hours=1), dispatch="eager")
    assert run.status().counts == {StepState.PENDING: 1}
    assert caller.call(run, "cancel") == 1


def test_without_a_broker_both_ask_the_global_one(own_world: World, caller: Blocking) -> None:
    before = dramatiq.get_broker()
    dramatiq.set_broker(own_world.broker)
    try:
        flow = own_world.flow()
        flow.add("a", own_world.act())
        run = caller.call(flow, "run")
        assert caller.get_run(run.id).status().total == 1
    finally:
        dramatiq.set_broker(before)


# What they can't have ---------------------------------------------------------------------------

WRONG_CALLS: dict[str, tuple[str, tuple[Any, ...], type[BatonError], str]] = {
    "a reason that is no text": ("cancel", (7,), ConfigurationError, "reason must be a str, not int 7"),
    "a step that there is not": ("result", ("z",), UnknownStep, "has no step 'z'"),
    "a step that can't be": ("result", ("",), UnknownStep, "no step can have that name"),
    "a step without a result": ("result", ("a",), ResultMissing, "has no result; it is queued"),
    "a timeout that is none": ("wait", (-1,), ConfigurationError, "timeout"),
    "a timeout that is over": ("wait", (20,), WorkflowTimeout, "hasn't finished after 20 ms"),
    "no time at all": ("wait", (0,), WorkflowTimeout, "hasn't finished after 0 ms"),
    "a beginning that is none": ("events", ("now",), ConfigurationError, "since must be"),
    "a retry of what runs": ("retry", (), WorkflowRunning, "still runs"),
}


@pytest.mark.parametrize(("method", "args", "error", "words"), WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_are_refused_alike(
    own_world: World,
    caller: Blocking,
    method: str,
    args: tuple[Any, ...],
    error: type[BatonError],
    words: str,
) -> None:
    run = start(own_world, "a")
    before = own_world.dump(run.id)
    with pytest.raises(error, match=words):
        caller.call(run, method, *args)
    assert own_world.dump(run.id) == before


@pytest.mark.parametrize("id", ["unknown", "", "x" * 10_000, "\x00", None], ids=lambda id: repr(id)[:12])
def test_an_unknown_id_is_not_found(own_world: World, caller: Blocking, id: Any) -> None:
    with pytest.raises(WorkflowNotFound, match="there is no workflow"):
        caller.get_run(id, own_world.broker)


def test_a_broker_without_the_middleware_is_refused(own_world: World, caller: Blocking) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    for call in (
        lambda: caller.get_run("any", StubBroker()),
        lambda: caller.call(flow, "run", broker=StubBroker()),
    ):
        with pytest.raises(ConfigurationError, match="no BatonMiddleware"):
            call()


METHODS = ("status", "results", "wait", "events", "cancel", "retry", "to_mermaid")


@pytest.mark.parametrize("method", METHODS)
def test_once_its_data_is_gone_every_method_says_so(
    own_world: World, run: WorkflowRun, caller: Blocking, method: str
) -> None:
    for key in own_world.keys(f"workflow:{{{run.id}}}*"):
        own_world.redis.delete(key)
    with pytest.raises(WorkflowNotFound, match=f"there is no workflow '{run.id}'"):
        caller.call(run, method)


def _empty(world: World) -> Workflow:
    return world.flow()


def _circular(world: World) -> Workflow:
    flow = world.flow()
    flow.add("a", world.act(), deps="b")
    flow.add("b", world.act(), deps="a")
    return flow


def _without_dep(world: World) -> Workflow:
    flow = world.flow()
    flow.add("a", world.act(), deps="z")
    return flow


def _plain(world: World) -> Workflow:
    flow = world.flow()
    flow.add("a", world.actors.plain.message("key", "value"))
    return flow


def _long(world: World) -> Workflow:
    """One with a fault, and so many steps that it isn't prepared in the event loop."""
    flow = _without_dep(world)
    for number in range(300):
        flow.add(f"{number}", world.act())
    return flow


WRONG_GRAPHS: dict[str, tuple[Callable[[World], Workflow], type[BatonError], str]] = {
    "empty": (_empty, EmptyWorkflow, "no steps"),
    "circular": (_circular, CycleError, "a.*b"),
    "a dep that there is not": (_without_dep, UnknownStep, "'z'"),
    "a dep that there is not, and many steps": (_long, UnknownStep, "'z'"),
    "a plain actor": (_plain, NotAWorkflowActor, "isn't a workflow actor"),
}


@pytest.mark.parametrize(("make", "error", "words"), WRONG_GRAPHS.values(), ids=WRONG_GRAPHS.keys())
def test_wrong_graphs_are_refused_before_anything_is_written(
    own_world: World,
    caller: Blocking,
    make: Callable[[World], Workflow],
    error: type[BatonError],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        caller.call(make(own_world), "run", broker=own_world.broker)
    assert own_world.keys() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [({"dispatch": "lazy"}, "dispatch must be"), ({"delay": -1}, "the workflow's delay")],
    ids=["dispatch", "delay"],
)
def test_options_that_are_none_are_refused(
    own_world: World, caller: Blocking, options: dict[str, Any], words: str
) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    with pytest.raises(ConfigurationError, match=words):
        caller.call(flow, "run", broker=own_world.broker, **options)
    assert own_world.keys() == []


def test_another_graph_under_the_same_id_is_refused(own_world: World, caller: Blocking) -> None:
    start(own_world, "a", id="mine")
    other = own_world.flow(id="mine")
    other.add("b", own_world.act())
    with pytest.raises(WorkflowExists, match="exists with another graph"):
        caller.call(other, "run", broker=own_world.broker)
