"""``run_workflow`` and workflows that never finish: one clear error instead of a test that hangs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dramatiq_baton import Snooze, Workflow
from dramatiq_baton.testing import FinishedWorkflow, WorkflowStuck

from .shop import Shop

Run = Callable[..., FinishedWorkflow]


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_step_that_snoozes_for_ever_is_named(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch, dispatch: str
) -> None:
    monkeypatch.setattr("dramatiq_baton.testing.performance.MOST_DELIVERIES", 100)

    @shop.actor
    def poll() -> Snooze:
        return Snooze(60_000)

    flow = Workflow("flow")
    flow.add("poll", poll.message())
    flow.add("a", shop.work.message("a"), deps="poll")
    with pytest.raises(WorkflowStuck, match=r"^step 'poll' was delivered 100 times: it seems to snooze"):
        run(flow, dispatch=dispatch)


def test_an_actor_that_is_sent_for_ever_is_named(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatiq_baton.testing.performance.MOST_MESSAGES", 100)

    @shop.plain_actor
    def again() -> None:
        again.send()

    @shop.actor
    def begin() -> None:
        again.send()

    flow = Workflow("flow")
    flow.add("a", begin.message())
    with pytest.raises(
        WorkflowStuck, match=r"^100 messages of actor 'again' were processed, and there are more"
    ):
        run(flow)


def test_a_step_whose_message_could_not_be_sent_is_named(shop: Shop, run: Run) -> None:
    flow = shop.flow()
    message = shop.work.message("b").copy(queue_name="a queue that nobody has")
    flow.add("b", message, deps="a")
    with pytest.raises(
        WorkflowStuck, match=r"workflow 'flow' can't finish: .* settled: 'b' \(queued\); the log"
    ):
        run(flow)


def test_steps_that_wait_for_a_message_that_was_not_sent_are_named(shop: Shop, run: Run) -> None:
    flow = Workflow("flow")
    flow.add("a", shop.work.message("a").copy(queue_name="a queue that nobody has"))
    flow.add("b", shop.work.message("b"), deps="a")
    with pytest.raises(WorkflowStuck, match=r"settled: 'a' \(queued\), 'b' \(snoozed\); the log"):
        run(flow, dispatch="eager")
