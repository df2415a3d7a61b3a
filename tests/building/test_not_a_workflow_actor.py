"""Contract 2: a step is a message for an actor that was declared with ``@workflow_actor``."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import BatonError, ConfigurationError, NotAWorkflowActor
from tests.support.world import World


def test_it_is_a_baton_error_and_a_value_error() -> None:
    assert issubclass(NotAWorkflowActor, BatonError)
    assert issubclass(NotAWorkflowActor, ValueError)


def test_the_message_of_a_plain_actor_is_refused(untouched: World) -> None:
    flow = untouched.flow()
    flow.add("a", untouched.act())
    flow.add("b", untouched.actors.plain.message("key", "value"))
    with pytest.raises(
        NotAWorkflowActor, match=r"actor 'plain' of step 'b' isn't a workflow actor; declare it"
    ):
        untouched.run(flow)


def test_the_message_of_an_actor_that_the_broker_does_not_know_is_refused(untouched: World) -> None:
    flow = untouched.flow()
    flow.add("a", dramatiq.Message("default", "nobody", (), {}, {}))
    with pytest.raises(NotAWorkflowActor, match=r"actor 'nobody' of step 'a' isn't declared on the broker"):
        untouched.run(flow)


def test_the_message_of_an_actor_of_another_broker_is_refused(untouched: World) -> None:
    @dramatiq.actor(broker=StubBroker(), actor_name="elsewhere")
    def elsewhere() -> None: ...

    flow = untouched.flow()
    flow.add("a", elsewhere.message())
    with pytest.raises(NotAWorkflowActor, match="'elsewhere'"):
        untouched.run(flow)


@pytest.mark.parametrize(
    "message", [None, "fetch", {"actor_name": "act"}, ("act",), 1, dramatiq.Message], ids=repr
)
def test_what_is_no_message_is_refused_when_it_is_added(untouched: World, message: Any) -> None:
    flow = untouched.flow()
    with pytest.raises(NotAWorkflowActor, match=r"step 'a' needs a message, as actor\.message"):
        flow.add("a", message)
    assert len(flow) == 0


def test_an_actor_in_place_of_its_message_is_refused(untouched: World) -> None:
    with pytest.raises(NotAWorkflowActor, match="not Actor"):
        untouched.flow().add("a", untouched.actors.act)


def test_a_pipeline_or_group_is_no_message(untouched: World) -> None:
    for composed in (
        dramatiq.pipeline([untouched.act()], broker=untouched.broker),
        dramatiq.group([untouched.act()], broker=untouched.broker),
    ):
        with pytest.raises(NotAWorkflowActor, match=type(composed).__name__):
            untouched.flow().add("a", composed)


def test_a_broker_without_the_middleware_is_refused(untouched: World) -> None:
    flow = untouched.flow()
    flow.add("a", untouched.act())
    with pytest.raises(ConfigurationError, match=r"broker\.add_middleware\(BatonMiddleware\(\)\)"):
        flow.run(broker=StubBroker())


@pytest.mark.parametrize("dispatch", ["", "Ready", "later", None, 1, [], b"ready"])
def test_another_dispatch_is_refused(untouched: World, dispatch: Any) -> None:
    flow = untouched.flow()
    flow.add("a", untouched.act())
    with pytest.raises(ConfigurationError, match='dispatch must be "ready" or "eager", not '):
        untouched.run(flow, dispatch=dispatch)
