"""Contract 3, point 6: a step whose deps haven't settled is snoozed; that costs no retry and no attempt."""

from __future__ import annotations

import threading

from dramatiq_baton import StepState, Workflow, current_step
from tests.support.lab import Lab


def test_an_eager_step_snoozes_until_its_deps_have_settled(lab: Lab) -> None:
    told = threading.Event()

    @lab.actor
    def slow() -> str:
        assert told.wait(30)
        return "slow"

    @lab.actor(max_retries=0)
    def follow(value: str) -> list[object]:
        step = current_step()
        assert step is not None
        return [value, step.attempt]

    flow = Workflow("flow")
    flow.add("b", follow.message(flow.add("a", slow.message())))
    with lab.working():
        run = lab.run(flow, dispatch="eager")
        snoozes = (event for event in run.events(follow=True) if event.event == "snoozed")
        first, *others = [next(snoozes) for _ in range(4)]
        step = run.status().steps["b"]
        told.set()
        run.wait(timeout=30_000)
    assert (first.step, first.reason, first.attempt) == ("b", "waits for its deps", 0)
    delays = [event.delay or 0 for event in [first, *others]]
    assert all(25 <= delay <= 75 for delay in delays)  # snooze_delay=50
    assert len(set(delays)) > 1
    assert (step.state, step.attempt) == (StepState.SNOOZED, 0)
    assert run.result("b") == ["slow", 1]
    assert set(lab.events_of(run, "b")[:-2]) == {"snoozed"}
    assert lab.events_of(run, "b")[-2:] == ["executing", "completed"]


def test_waiting_leaves_all_retries_to_the_actor(lab: Lab) -> None:
    told = threading.Event()

    @lab.actor
    def slow() -> None:
        assert told.wait(30)

    @lab.actor
    def fails_twice() -> int:
        if (run := lab.note("ran")) < 3:
            raise ValueError("boom")
        return run

    flow = Workflow("flow")
    flow.add("a", slow.message())
    flow.add("b", fails_twice.message(), deps="a")  # max_retries=2
    with lab.working():
        run = lab.run(flow, dispatch="eager")
        snoozes = (event for event in run.events(follow=True) if event.event == "snoozed")
        assert len([next(snoozes) for _ in range(3)]) == 3
        told.set()
        run.wait(timeout=30_000)
    assert run.result("b") == 3


def test_a_message_that_comes_too_early_doesnt_run_a_step_that_isnt_ready(lab: Lab) -> None:
    """Nothing but the gate keeps it back: with ``dispatch="ready"`` nobody should have sent it."""
    told = threading.Event()

    @lab.actor
    def slow() -> None:
        assert told.wait(30)
        lab.note("slow")

    @lab.actor
    def follow() -> None:
        lab.note("follow")

    flow = Workflow("flow")
    flow.add("a", slow.message())
    flow.add("b", follow.message(), deps="a")
    run = lab.run(flow)
    message = lab.sent.of("a")
    option = {**message.options["baton"], "step": "b"}
    lab.broker.enqueue(follow.message_with_options(baton=option))
    with lab.working():
        assert next(event for event in run.events(follow=True) if event.step == "b").event == "snoozed"
        told.set()
        run.wait(timeout=30_000)
    assert lab.notes == ["slow", "follow"]


def test_each_dep_counts_until_the_last_has_settled(lab: Lab) -> None:
    told = [threading.Event() for _ in range(3)]

    @lab.actor
    def slow(number: int) -> int:
        assert told[number].wait(30)
        return number

    @lab.actor
    def follow(numbers: list[int]) -> list[int]:
        lab.note("follow")
        return numbers

    flow = Workflow("flow")
    flow.add("b", follow.message([flow.add(f"a{number}", slow.message(number)) for number in range(3)]))
    with lab.working():
        run = lab.run(flow, dispatch="eager")
        for number in range(3):
            events = run.events(follow=True)
            assert any(event.event == "executing" and event.step == f"a{number}" for event in events)
            assert lab.notes == []
            told[number].set()
            assert any(event.event == "completed" and event.step == f"a{number}" for event in events)
            if number < 2:
                assert next(event for event in events if event.step == "b").event == "snoozed"
        run.wait(timeout=30_000)
    assert run.result("b") == [0, 1, 2]
    assert lab.notes == ["follow"]
