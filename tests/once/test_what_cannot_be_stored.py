"""``step.once``: values that can't be stored, keys that can't be used, and callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import InvalidName, NotExecuting, Step, Workflow, WorkflowRun, current_step
from tests.support.lab import Lab
from tests.support.own import MakeLab


def _reason(lab: Lab, key: Any, call: Callable[[], Any]) -> str:
    """Why a step is discarded that makes a call once."""

    @lab.actor(max_retries=0)
    def work() -> None:
        step = current_step()
        assert step is not None
        step.once(key, call)

    flow = Workflow("flow")
    flow.add("page", work.message())
    run = lab.finish(flow)
    assert not _stored(lab, run)
    return run.status().steps["page"].reason


def _stored(lab: Lab, run: WorkflowRun) -> dict[str, str]:
    found: dict[str, str] = lab.world.redis.hgetall(f"{lab.world.namespace}:workflow:{{{run.id}}}:once")
    return found


def test_a_value_that_cannot_be_stored_is_an_error_that_names_step_and_key(lab: Lab) -> None:
    reason = _reason(lab, "draft", lambda: {"pages": [1, object()]})
    assert reason.startswith("ResultNotSerializable: step 'page', once('draft'): ")
    assert "$.pages[1] is of type object" in reason


def test_a_value_that_is_too_large_is_an_error_that_names_step_and_key(make_lab: MakeLab) -> None:
    reason = _reason(make_lab(max_result_size=1000), "draft", lambda: "x" * 1000)
    assert reason == (
        "ResultTooLarge: step 'page', once('draft'): the value (str) has 1003 bytes, max_result_size is 1000"
    )


def test_a_value_may_be_as_large_as_a_result(make_lab: MakeLab) -> None:
    lab = make_lab(max_result_size=1000)

    @lab.actor
    def work() -> int:
        step = current_step()
        assert step is not None
        return len(step.once("k", lambda: "x" * 997))

    flow = Workflow("flow")
    flow.add("a", work.message())
    assert lab.finish(flow).result("a") == 997


@pytest.mark.parametrize("key", ["", "a\x1fb", "x" * 201, 7, None])
def test_a_key_that_is_no_name_is_refused_before_the_call(lab: Lab, key: Any) -> None:
    reason = _reason(lab, key, lambda: lab.note("call"))
    assert reason.startswith(f"{InvalidName.__name__}: the key of once() ")
    assert lab.notes == []


def test_a_callback_is_no_execution(lab: Lab) -> None:
    def on_dep_discarded(reason: str, step: Step) -> None:
        with pytest.raises(NotExecuting, match=r"step 'b' isn't being executed"):
            step.once("k", lambda: lab.note("call"))
        lab.note("refused")

    @lab.actor(max_retries=0)
    def fail() -> None:
        raise ValueError("boom")

    @lab.actor(on_dep_discarded=on_dep_discarded)
    def work() -> None: ...

    flow = Workflow("flow")
    flow.add("a", fail.message())
    flow.add("b", work.message(), deps="a")
    lab.finish(flow)
    assert lab.notes == ["refused"]
