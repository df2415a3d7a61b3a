"""Contract 2: an actor that returns what can't be stored."""

from __future__ import annotations

import pytest

from dramatiq_baton import ResultMissing, StepState
from tests.support.world import World


def test_a_step_whose_result_isnt_serializable_is_discarded(world: World) -> None:
    flow = world.flow()
    flow.add("pages", world.act(["unstorable"]))
    run = world.finish(flow)
    step = run.status().steps["pages"]
    assert step.state is StepState.DISCARDED
    assert step.reason.startswith("ResultNotSerializable: ")
    assert "'pages'" in step.reason  # which step
    assert "$.pages[1]" in step.reason  # where in the value
    assert "object" in step.reason  # of which type
    assert world.runs_of(run, "pages") == 1  # running it again would help nobody
    with pytest.raises(ResultMissing, match="ResultNotSerializable"):
        run.result("pages")


def test_a_step_whose_result_is_too_large_is_discarded(world: World) -> None:
    flow = world.flow()
    flow.add("page", world.act(["big", 100_000]))  # max_result_size=100_000, plus msgpack's own bytes
    run = world.finish(flow)
    step = run.status().steps["page"]
    assert step.state is StepState.DISCARDED
    assert step.reason == (
        "ResultTooLarge: the result of step 'page' (str) has 100005 bytes, max_result_size is 100000"
    )
    assert world.runs_of(run, "page") == 1
    assert world.events_of(run, "page") == ["executing", "discarded"]
    discarded = next(event for event in run.events() if event.event == "discarded")
    assert discarded.error == step.reason


def test_a_result_of_just_max_result_size_is_stored(world: World) -> None:
    flow = world.flow()
    flow.add("page", world.act(["big", 99_995]))
    run = world.finish(flow)
    assert run.result("page") == "x" * 99_995


def test_the_log_says_which_result_cant_be_stored(world: World) -> None:
    flow = world.flow()
    flow.add("page", world.act(["big", 100_000]))
    run = world.finish(flow)
    log = world.worker.wait_log(f"a result can't be stored workflow='{run.id}' step='page'")
    assert "100005 bytes" in log
