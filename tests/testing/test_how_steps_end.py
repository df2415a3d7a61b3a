"""``run_workflow`` and steps that don't complete: what becomes of them and of others, and what a test is told."""

from __future__ import annotations

import bdb
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowState, current_step, get_run
from dramatiq_baton.llm import llm_actor
from dramatiq_baton.testing import FinishedWorkflow

from .shop import HOUR, Shop

Run = Callable[..., FinishedWorkflow]


class Refusal(Exception):
    status_code = 401


def test_a_discarded_step_cancels_what_needs_it_and_callbacks_are_called(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    flow.add("a", shop.work.message("a", "fail", "fail", "fail"))
    flow.add("b", shop.work.message("b"), deps="a")
    flow.add("c", shop.work.message("c"), deps="b")
    finished = run(flow)
    assert finished.state is WorkflowState.FAILED
    assert finished.counts == {StepState.DISCARDED: 1, StepState.CANCELLED: 2}
    assert shop.notes[:3] == ["a", "a", "a"]
    assert [note.split(": dep")[0] for note in shop.notes[3:]] == [
        "b: a dep was discarded",
        "c: a dep was cancelled",
    ]
    assert finished.steps["a"].reason == "ValueError: a failed"


def test_ignored_failures_are_ignored(shop: Shop, run: Run) -> None:
    @shop.actor
    def collect(parts: list[Any]) -> list[Any]:
        return parts

    flow = Workflow("flow", ignore_cancelled=True, ignore_discarded=True)
    parts = [flow.add(word, shop.work.message(word, word)) for word in ("discard", "cancel", "work")]
    flow.add("end", collect.message(parts))
    assert run(flow).result("end") == [None, None, "work 1"]


def test_a_step_that_is_never_run_is_discarded(shop: Shop, run: Run) -> None:
    @shop.actor(max_age=1)
    def late() -> None:
        shop.notes.append("late")

    @shop.actor(priority=-1)
    def early() -> None:
        time = late.message().message_timestamp
        while late.message().message_timestamp <= time + 5:
            pass

    flow = Workflow("flow")
    flow.add("late", late.message())
    flow.add("early", early.message())
    finished = run(flow)
    assert finished.steps["late"].reason.startswith("never run")
    assert shop.notes == []


def test_an_actor_can_cancel_its_own_workflow(shop: Shop, run: Run) -> None:
    @shop.actor
    def stop() -> str:
        get_run(current_step().workflow_id, shop.broker).cancel("enough")  # type: ignore[union-attr]
        return "too late"

    flow = Workflow("flow")
    flow.add("stop", stop.message())
    flow.add("a", shop.work.message("a"), deps="stop")
    finished = run(flow)
    assert finished.state is WorkflowState.CANCELLED
    assert finished.results == {}
    assert finished.steps["a"].reason == "enough"
    assert shop.notes == []


def test_the_very_exception_of_a_discarded_step_is_raised(shop: Shop, run: Run) -> None:
    raised = []

    @shop.actor
    def fail() -> None:
        raised.append(LookupError("no such page"))
        raise raised[-1]

    flow = Workflow("flow")
    flow.add("a", fail.message())
    assert run(flow).state is WorkflowState.FAILED
    with pytest.raises(LookupError, match="no such page") as caught:
        run(flow, raises=True)
    assert caught.value is raised[-1]
    assert len(raised) == 6
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.name) == (__file__, "fail")


def test_of_several_the_first_discarded_one_is_raised(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    flow.add("slow", shop.work.message("slow", "fail", 100 * HOUR, "fail", "fail"))
    flow.add("quick", shop.work.message("quick", "fail", "fail", "fail"))
    with pytest.raises(ValueError, match="quick failed"):
        run(flow, raises=True)


def test_what_a_retry_made_good_is_not_raised(shop: Shop, run: Run) -> None:
    assert run(shop.flow("fail", "fail"), raises=True).result("a") == "a 3"


def test_answers_are_no_exceptions(shop: Shop, run: Run) -> None:
    assert run(shop.flow("discard"), raises=True).failed_steps == ("a",)
    assert run(shop.flow("discard", "cancel"), raises=True).state is WorkflowState.CANCELLED


@pytest.mark.parametrize(("error", "attempts"), [(Refusal("who are you?"), 1), (OSError("no route"), 3)])
def test_the_exception_of_an_llm_step_is_the_one_that_its_client_raised(
    shop: Shop, run: Run, error: Exception, attempts: int
) -> None:
    @llm_actor(broker=shop.broker, max_retries=2)
    def ask() -> None:
        shop.notes.append("asked")
        raise error

    flow = Workflow("flow")
    flow.add("a", ask.message())
    with pytest.raises(type(error)) as caught:
        run(flow, raises=True)
    assert caught.value is error
    assert len(shop.notes) == attempts


@pytest.mark.parametrize("error", [KeyboardInterrupt(), pytest.fail.Exception("here"), bdb.BdbQuit()])
@pytest.mark.parametrize("declare", ["workflow_actor", "llm_actor", "plain"])
def test_what_is_meant_to_end_the_test_ends_it_at_once(
    shop: Shop, run: Run, error: BaseException, declare: str
) -> None:
    def stop() -> None:
        shop.notes.append("stop")
        raise error

    flow = shop.flow()
    if declare == "plain":
        plain = shop.plain_actor(stop)
        flow.add("b", shop.actor(lambda: plain.send() and None, actor_name="send").message())
    else:
        actor = shop.actor if declare == "workflow_actor" else llm_actor(broker=shop.broker)
        flow.add("b", actor(stop).message())
    with pytest.raises(type(error)):
        run(flow)
    assert shop.notes == ["a", "stop"]
