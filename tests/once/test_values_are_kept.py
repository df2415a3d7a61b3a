"""``step.once``: what a call has brought is what every later attempt gets, without calling again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import Snooze, Step, Workflow, WorkflowRun, WorkflowState, current_step
from tests.support.lab import Lab


def this_step() -> Step:
    step = current_step()
    assert step is not None
    return step


def flow_of(lab: Lab, work: Callable[[], Any], *steps: str, **options: Any) -> Workflow:
    """A workflow whose steps each do some work."""
    actor = lab.actor(lambda: work(), actor_name="work", **options)
    flow = Workflow("flow")
    for step in steps or ("a",):
        flow.add(step, actor.message())
    return flow


def finish(lab: Lab, work: Callable[[], Any], *steps: str, **options: Any) -> WorkflowRun:
    return lab.finish(flow_of(lab, work, *steps, **options))


def test_calls_before_one_that_fails_are_not_made_again(lab: Lab) -> None:
    def third(draft: str) -> str:
        if lab.note("third") < 3:
            raise ConnectionError("busy")
        return f"{draft}, printed"

    def work() -> str:
        step = this_step()
        page = step.once("fetch", lambda: f"page {lab.note('first')}")
        draft = step.once(
            "draft", lambda page, *, tone: f"{tone} {page} {lab.note('second')}", page, tone="dry"
        )
        return step.once("print", third, draft)

    run = finish(lab, work)
    assert run.result("a") == "dry page 1 1, printed"
    assert lab.notes == ["first", "second", "third", "third", "third"]
    assert lab.events_of(run, "a") == ["executing", "retryable"] * 2 + ["executing", "completed"]


def test_a_call_is_not_made_again_after_a_snooze(lab: Lab) -> None:
    def work() -> Any:
        ticket = this_step().once("order", lambda: lab.note("call"))
        return Snooze(10) if this_step().attempt < 3 else ticket

    assert finish(lab, work).result("a") == 1
    assert lab.notes == ["call"]


def test_a_call_is_not_made_again_when_the_workflow_is_retried(lab: Lab) -> None:
    def work() -> int:
        got = this_step().once("order", lambda: lab.note("call"))
        if this_step().attempt == 1:
            raise ValueError("boom")
        return got

    flow = flow_of(lab, work, max_retries=0)
    with lab.working():
        run = lab.run(flow)
        assert run.wait(timeout=30_000).state is WorkflowState.FAILED
        assert run.retry() == 1
        assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.result("a") == 1
    assert lab.notes == ["call"]


@pytest.mark.parametrize("value", [None, False, "", (1, {"x": b"\xff"}), {1, 2}], ids=repr)
def test_the_next_attempt_gets_an_equal_value_of_the_same_type(lab: Lab, value: Any) -> None:
    got = []

    def call() -> Any:
        lab.note("call")
        return value

    def work() -> None:
        got.append(this_step().once("k", call))
        if len(got) == 1:
            raise ValueError("boom")

    finish(lab, work)
    assert got == [value, value]
    assert type(got[1]) is type(value)
    assert lab.notes == ["call"]


def test_one_execution_that_uses_a_key_twice_calls_once(lab: Lab) -> None:
    def work() -> list[int]:
        return [this_step().once("k", lambda: lab.note("call")) for _ in range(2)]

    assert finish(lab, work).result("a") == [1, 1]


def test_each_key_has_its_own_value(lab: Lab) -> None:
    def work() -> list[str]:
        return [this_step().once(key, lambda key=key: f"of {key}") for key in ("k", "k 2", "ключ", "k")]

    assert finish(lab, work).result("a") == ["of k", "of k 2", "of ключ", "of k"]


def test_steps_and_workflows_with_the_same_key_have_their_own_values(lab: Lab) -> None:
    def work() -> str:
        step = this_step()
        return step.once("k", lambda: f"{step.name} of {step.workflow_name}")

    flow = flow_of(lab, work, "a", "a k")
    other = Workflow("other")
    other.add("a", lab.broker.get_actor("work").message())
    with lab.working():
        runs = [lab.run(flow), lab.run(other)]
        for run in runs:
            run.wait(timeout=30_000)
    assert [run.results() for run in runs] == [
        {"a": "a of flow", "a k": "a k of flow"},
        {"a": "a of other"},
    ]


def test_what_a_call_raises_is_raised_and_the_next_attempt_calls_again(lab: Lab) -> None:
    def call() -> str:
        if lab.note("call") == 1:
            raise LookupError("nothing there yet")
        return "there"

    run = finish(lab, lambda: this_step().once("k", call))
    assert run.result("a") == "there"
    assert lab.notes == ["call", "call"]
    assert [event.error for event in run.events() if event.event == "retryable"] == [
        "LookupError: nothing there yet"
    ]


def test_a_step_that_makes_no_such_call_stores_none(lab: Lab) -> None:
    run = finish(lab, lambda: 1)
    assert not lab.world.keys(f"workflow:{{{run.id}}}:once")
