"""Which steps share a lane."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import InvalidName, StepState, Workflow
from dramatiq_baton.graph import StepFlags
from dramatiq_baton.llm import llm_actor
from dramatiq_baton.llm.lanes import lane_of
from dramatiq_baton.store import reading
from tests.support.lab import Lab


@pytest.mark.parametrize(
    ("kwargs", "provider", "lane"),
    [
        ({}, None, "ask"),
        ({"model": "m-1"}, None, "ask:m-1"),
        ({"model": 5}, None, "ask"),
        ({"prompt": "m-1"}, None, "ask"),
        ({"model": "\ud800"}, None, "ask:?"),
        ({}, "acme", "acme"),
        ({"model": "m-1"}, "acme", "acme"),
    ],
)
def test_a_lane_is_that_of_the_provider_or_of_the_actor_and_its_model(
    kwargs: dict[str, Any], provider: str | None, lane: str
) -> None:
    assert lane_of("ask", kwargs, provider=provider) == lane


def test_a_model_s_name_may_be_of_any_length() -> None:
    assert len(lane_of("ask", {"model": "m" * 10_000}, provider=None)) == 500


@pytest.mark.parametrize("provider", ["", 5, "a\nb"])
def test_a_provider_s_name_is_a_name(provider: Any) -> None:
    with pytest.raises(InvalidName, match="a provider's name"):
        llm_actor(provider=provider)


def test_a_step_is_in_its_actor_s_lane(lab: Lab) -> None:
    def work(model: str = "") -> str:
        return model

    flow = Workflow("flow")
    by_model = flow.add("own", llm_actor(broker=lab.broker, actor_name="own")(work).message(model="m"))
    shared = llm_actor(broker=lab.broker, actor_name="shared", provider="acme")(work)
    flow.add("shared", shared.message(model=by_model))
    flow.add("not paced", llm_actor(broker=lab.broker, actor_name="not_paced", paced=False)(work).message())
    flow.add("plain", lab.actor(actor_name="plain")(work).message())
    run = lab.finish(flow)
    assert run.status().counts == {StepState.COMPLETED: 4}
    specs = {name: reading.spec(run._runtime.store, run.id, name) for name in run.status().steps}
    assert {name: spec.lane for name, spec in specs.items()} == {
        "own": "own:m",
        "shared": "acme",
        "not paced": "",
        "plain": "",
    }
    assert {name for name, spec in specs.items() if StepFlags.LLM in spec.flags} == {
        "own",
        "shared",
        "not paced",
    }
