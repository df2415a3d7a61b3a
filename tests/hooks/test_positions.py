"""Contract 2: ``BatonMiddleware`` works wherever it stands in the broker's list, beside all stock middleware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dramatiq
import pytest
from dramatiq import Middleware
from dramatiq.middleware import AsyncIO, CurrentMessage, GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend as StubRateLimits
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend as StubResults

from dramatiq_baton import BatonMiddleware, Cancel, Discard, Snooze, StepState, Workflow
from tests.support.lab import Lab, Log, stock
from tests.support.own import MakeLab

#: How many middleware stand in :func:`_all_stock`.
STOCK = 10


def _all_stock(store_results: bool) -> list[Middleware]:
    others = [
        AsyncIO(),
        CurrentMessage(),
        GroupCallbacks(StubRateLimits()),
        Results(backend=StubResults(), store_results=store_results),
    ]
    assert len(stock()) + len(others) == STOCK
    return [*stock(), *others]


def _at(position: int, store_results: bool) -> Any:
    def arrange(baton: BatonMiddleware) -> Sequence[Middleware]:
        middleware = _all_stock(store_results)
        middleware.insert(position, baton)
        return middleware

    return arrange


def _every_kind_of_step(lab: Lab) -> Workflow:
    """Fan-out and fan-in over steps that return, fail, snooze, hand in, give up, in every kind of actor."""

    def answer(name: str, *answers: str) -> Any:
        run = lab.note(name)
        match answers[run - 1 : run]:
            case ["fail"]:
                raise ValueError("boom")
            case ["snooze"]:
                return Snooze(10)
            case ["busy"]:
                raise dramatiq.RateLimitExceeded("too fast")
            case ["discard"]:
                return Discard("no such page")
            case ["cancel"]:
                raise Cancel("nothing to do")
        return f"{name} {run}"

    plain = lab.actor(answer, actor_name="plain")

    @lab.actor
    async def asynchronous(name: str, *answers: str) -> Any:
        return answer(name, *answers)

    class ByClass(dramatiq.GenericActor):
        class Meta:
            actor = lab.actor
            actor_name = "by_class"

        def perform(self, name: str, *answers: str) -> Any:
            return answer(name, *answers)

    @lab.actor
    def collect(parts: list[Any]) -> list[Any]:
        return parts

    flow = Workflow("flow", ignore_discarded=True, ignore_cancelled=True)
    root = flow.add("root", plain.message("root"))
    parts = [
        flow.add("plain", plain.message("plain", "fail", "snooze", "fail"), deps=[root]),
        flow.add("async", asynchronous.message("async", "snooze", "fail", "busy"), deps=[root]),
        flow.add("class", ByClass.message("class", "busy", "fail", "snooze"), deps=[root]),
        flow.add("discarded", plain.message("discarded", "snooze", "discard"), deps=[root]),
        flow.add("cancelled", asynchronous.message("cancelled", "fail", "cancel"), deps=[root]),
        flow.add("failed", ByClass.message_with_options(args=("failed", "fail"), max_retries=0), deps=[root]),
    ]
    flow.add("end", collect.message(parts))
    return flow


@pytest.mark.parametrize("store_results", [True, False], ids=["results stored", "results not stored"])
@pytest.mark.parametrize("position", range(STOCK + 1))
def test_every_kind_of_step_works_at_every_position(
    make_lab: MakeLab, log: Log, position: int, store_results: bool
) -> None:
    lab = make_lab(_at(position, store_results))
    run = lab.finish(_every_kind_of_step(lab))
    assert run.result("end") == ["plain 4", "async 4", "class 4", None, None, None]
    expected = {"root": 1, "plain": 4, "async": 4, "class": 4, "discarded": 2, "cancelled": 2, "failed": 1}
    assert {name: lab.notes.count(name) for name in expected} == expected
    status = run.status()
    assert status.counts == {StepState.COMPLETED: 5, StepState.DISCARDED: 2, StepState.CANCELLED: 1}
    assert status.failed_steps == ("discarded", "failed")
    assert status.steps["failed"].reason == "ValueError: boom"
    assert lab.events_of(run, "plain") == [
        "executing", "retryable", "executing", "snoozed", "executing", "retryable", "executing", "completed",
    ]  # fmt: skip
    assert [event.event for event in run.events()].count("workflow_finished") == 1
    # What failed is told by Dramatiq; beyond that there is nothing to warn of.
    told = [line for line in log.warnings if "Failed to process message" not in line]
    assert [line for line in told if not line.startswith("Retries exceeded for message")] == []


def test_the_list_of_stock_middleware_is_complete() -> None:
    """What Dramatiq adds must be added here; Prometheus has a test of its own."""
    ours = {type(middleware) for middleware in _all_stock(True)} | {Middleware}
    theirs = {
        found
        for name in dramatiq.middleware.__all__
        if isinstance(found := getattr(dramatiq.middleware, name), type) and issubclass(found, Middleware)
    }
    assert theirs <= ours
