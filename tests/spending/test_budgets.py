"""Budgets: once one is spent, LLM steps that aren't running are cancelled instead of called."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from dramatiq_baton import Snooze, StepState, Workflow, WorkflowState, current_step
from dramatiq_baton.llm import Price, PriceList, llm_actor
from tests.support.lab import Lab
from tests.support.own import MakeLab

PRICES = PriceList({"dollar": Price(Decimal(1_000_000), Decimal(0))})


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(pricing=PRICES)


def pay(dollars: int = 1) -> None:
    step = current_step()
    assert step is not None
    step.record_usage(model="dollar", input_tokens=dollars, output_tokens=0)


def paying(lab: Lab, **options: Any) -> Any:
    """An LLM actor that pays, and returns what it was given."""

    @llm_actor(broker=lab.broker, min_backoff=10, max_backoff=20, **options)
    def ask(given: Any = None, *, dollars: int = 1) -> Any:
        lab.note("call")
        pay(dollars)
        return given

    return ask


def test_steps_that_have_not_started_are_cancelled_with_that_reason(lab: Lab) -> None:
    ask = paying(lab)
    flow = Workflow("flow", budget=Decimal("2.50"))
    last: Any = None
    for number in range(5):
        last = flow.add(f"s{number}", ask.message(last))
    run = lab.finish(flow)
    states = [step.state for step in run.status().steps.values()]
    assert states == [StepState.COMPLETED] * 3 + [StepState.CANCELLED] * 2
    assert run.status().steps["s3"].reason == "the budget of $2.5 is spent: $3"
    assert run.status().steps["s4"].reason == "dep 's3' was cancelled: the budget of $2.5 is spent: $3"
    assert run.status().state is WorkflowState.CANCELLED
    assert run.usage().budget == Decimal("2.50")
    assert lab.notes == ["call"] * 3


def test_it_is_exceeded_by_the_calls_already_running_at_most(lab: Lab) -> None:
    ask, threads = paying(lab), 4
    flow = Workflow("flow", budget=Decimal(5))
    for number in range(40):
        flow.add(f"s{number}", ask.message())
    run = lab.finish(flow)
    spent = run.usage().total.cost
    assert 5 <= spent <= 5 + threads - 1
    counts = run.status().counts
    assert counts == {StepState.COMPLETED: int(spent), StepState.CANCELLED: 40 - int(spent)}


@pytest.mark.parametrize(("budget", "calls"), [("0", 0), ("1", 1), ("1.000000000001", 2), ("2", 2)])
def test_a_budget_is_spent_when_nothing_of_it_is_left(lab: Lab, budget: str, calls: int) -> None:
    ask = paying(lab)
    flow = Workflow("flow", budget=Decimal(budget))
    first = flow.add("first", ask.message())
    second = flow.add("second", ask.message(first))
    flow.add("third", ask.message(second))
    lab.finish(flow)
    assert len(lab.notes) == calls


def test_steps_that_ignore_cancelled_deps_go_on_with_what_there_is(lab: Lab) -> None:
    ask = paying(lab)
    gather = lab.actor(lambda answers: answers, actor_name="gather")
    flow = Workflow("flow", budget=Decimal(1))
    first = flow.add("first", ask.message("one"))
    second = flow.add("second", ask.message("two"), deps=first)
    flow.add("gather", gather.message([first, second]), ignore_cancelled=True)
    run = lab.finish(flow)
    assert run.result("gather") == ["one", None]


def test_steps_of_other_actors_run_on(lab: Lab) -> None:
    plain = lab.actor(lambda given: lab.note("plain"), actor_name="plain")
    flow = Workflow("flow", budget=Decimal(1))
    first = flow.add("first", paying(lab).message())
    flow.add("second", plain.message(first))
    run = lab.finish(flow)
    assert run.status().state is WorkflowState.COMPLETED


def test_a_retry_of_a_step_is_a_new_call(lab: Lab) -> None:
    @llm_actor(broker=lab.broker, min_backoff=10, max_backoff=20)
    def ask() -> None:
        lab.note("call")
        pay()
        raise ValueError("the answer was no JSON")

    flow = Workflow("flow", budget=Decimal(2))
    flow.add("a", ask.message())
    run = lab.finish(flow)
    assert run.status().steps["a"].state is StepState.CANCELLED
    assert lab.notes == ["call"] * 2


def test_a_step_that_snoozed_is_not_called_again(lab: Lab) -> None:
    @llm_actor(broker=lab.broker)
    def ask() -> Snooze:
        lab.note("call")
        pay()
        return Snooze(1)

    flow = Workflow("flow", budget=Decimal(3))
    flow.add("a", ask.message())
    run = lab.finish(flow)
    assert run.status().steps["a"].reason == "the budget of $3 is spent: $3"
    assert lab.notes == ["call"] * 3


def test_a_workflow_stopped_by_its_budget_goes_on_with_another_one(lab: Lab) -> None:
    ask = paying(lab)
    flow = Workflow("flow", budget=Decimal(1))
    first = flow.add("first", ask.message("one"))
    flow.add("second", ask.message(first))
    with lab.working():
        run = lab.run(flow)
        assert run.wait(timeout=30_000).state is WorkflowState.CANCELLED
        assert run.retry() == 1
        assert run.wait(timeout=30_000).state is WorkflowState.CANCELLED  # nothing has changed
        assert run.retry(budget=Decimal("1.01")) == 1
        assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.usage().budget == Decimal("1.01")
    assert Counter(lab.notes) == {"call": 2}


def test_without_a_budget_nothing_is_cancelled(lab: Lab) -> None:
    ask = paying(lab)
    flow = Workflow("flow")
    for number in range(5):
        flow.add(f"s{number}", ask.message(dollars=1000))
    assert lab.finish(flow).status().cost == 5000
