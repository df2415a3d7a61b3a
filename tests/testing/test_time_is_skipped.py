"""``run_workflow`` doesn't wait: time is skipped, and everything happens in the order in which it would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dramatiq_baton import BatonMiddleware, Snooze, Workflow, workflow_actor
from dramatiq_baton.run import middleware_of
from dramatiq_baton.testing import FinishedWorkflow

from .shop import HOUR, Shop

Run = Callable[..., FinishedWorkflow]
DAY = 24 * HOUR
YEAR = timedelta(days=365)


def test_backoffs_snoozes_and_rate_limits_are_skipped(shop: Shop, run: Run) -> None:
    finished = run(shop.flow("fail", 7 * DAY, "busy", "fail", 7 * DAY))
    assert finished.result("a") == "a 6"
    assert [event.event for event in finished.events if event.step] == [
        *("executing", "retryable", "executing", "snoozed", "executing", "snoozed"),
        *("executing", "retryable", "executing", "snoozed", "executing", "completed"),
    ]
    delays = [event.delay for event in finished.events if event.event in ("retryable", "snoozed")]
    assert (delays[1], delays[4]) == (7 * DAY, 7 * DAY)
    assert delays[0] is not None
    assert delays[0] >= HOUR


def test_delays_are_skipped(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    flow.add("a", shop.work.message("a"), delay=100 * YEAR)
    flow.add("b", shop.work.message("b"), delay=timedelta(days=30), deps="a")
    finished = run(flow, delay=100 * YEAR)
    assert finished.results == {"a": "a 1", "b": "b 1"}
    assert finished.events[0].delay == 100 * YEAR // timedelta(milliseconds=1)


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_what_is_due_first_is_done_first(shop: Shop, run: Run, dispatch: str) -> None:
    """Whatever it is that waits, and however often: ``poll`` would never see the others if each snooze began anew."""
    flow = Workflow("flow")

    @shop.actor
    def poll() -> str | Snooze:
        shop.notes.append("poll")
        return Snooze(HOUR) if "late" not in shop.notes else "seen"

    flow.add("poll", poll.message())
    flow.add("snoozed", shop.work.message("snoozed", 90 * 60_000))
    flow.add("delayed", shop.work.message("delayed"), delay=150 * 60_000)
    flow.add("late", shop.work.message("late"), delay=HOUR, deps="delayed")
    run(flow, dispatch=dispatch)
    assert shop.notes == [
        *("poll", "snoozed"),  # at once
        *("poll", "snoozed", "poll", "delayed"),  # after 1, 1.5, 2, 2.5 hours
        *("poll", "late", "poll"),  # after 3, 3.5, 4 hours
    ]


def test_eager_steps_that_wait_for_days_are_not_asked_every_five_seconds(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    first = flow.add("first", shop.work.message("first", 7 * DAY, 7 * DAY), delay=YEAR)
    for number in range(20):
        flow.add(f"{number}", shop.work.message(f"{number}"), deps=first)
    finished = run(flow, dispatch="eager")
    assert len(finished.results) == 21
    assert len([event for event in finished.events if event.event == "snoozed"]) < 200


def test_plain_messages_that_steps_wait_for_are_processed_when_due(shop: Shop, run: Run) -> None:
    @shop.plain_actor
    def prepare() -> None:
        shop.notes.append("prepared")

    @shop.actor
    def ask() -> str | Snooze:
        if not shop.notes:
            shop.notes.append("asked")
            prepare.send_with_options(delay=2 * HOUR)
        return "done" if "prepared" in shop.notes else Snooze(HOUR)

    flow = Workflow("flow")
    flow.add("a", ask.message())
    finished = run(flow)
    assert finished.result("a") == "done"
    assert finished.steps["a"].attempt in (
        3,
        4,
    )  # the message may be due a little before or behind the second snooze


def test_when_the_workflow_has_finished_time_stands_still(shop: Shop, run: Run) -> None:
    @shop.plain_actor
    def every_hour() -> None:
        shop.notes.append("every hour")
        every_hour.send_with_options(delay=HOUR)

    @shop.actor
    def begin() -> None:
        every_hour.send()

    flow = Workflow("flow")
    flow.add("begin", begin.message())
    flow.add("end", shop.work.message("end"), deps="begin", delay=150 * 60_000)
    run(flow)
    assert shop.notes == [*(["every hour"] * 3), "end"]


def test_paces_of_providers_are_forgotten_when_time_is_skipped(shop: Shop, run: Run, broker: Any) -> None:
    flow = Workflow("flow")

    @workflow_actor(broker=broker)
    def look(key: str, *, again: bool) -> bool | Snooze:
        baton: BatonMiddleware = middleware_of(broker)
        store = baton.runtime(broker).store
        lane = f"{store.keys.index}:lane:{key}"
        if again and not shop.runs[key]:
            shop.runs[key] += 1
            store.connections.ask("SET", lane, "slow", "PX", DAY)
            return Snooze(HOUR)
        return bool(store.connections.ask("EXISTS", lane))

    flow.add("a", look.message("one", again=True))
    assert run(flow).result("a") is False
