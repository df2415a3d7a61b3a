"""``current_step().record_usage()``: money that was spent is shown, whatever becomes of the step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from dramatiq.middleware import AsyncIO

from dramatiq_baton import ConfigurationError, Event, Snooze, Step, Workflow, WorkflowRun, current_step
from dramatiq_baton.llm import Price, PriceList
from tests.support.lab import Lab, Log, stock
from tests.support.line import Command, Fate, Line
from tests.support.own import MakeLab
from tests.support.state_server import StateServer
from tests.support.world import World

PRICES = PriceList({"one": Price(Decimal("0.1"), Decimal("0.7")), "two": Price(Decimal(3), Decimal(5))})


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(pricing=PRICES)


def this_step() -> Step:
    step = current_step()
    assert step is not None
    return step


def use(model: str = "one", tokens: int = 1000) -> Decimal | None:
    return this_step().record_usage(model=model, input_tokens=tokens, output_tokens=10)


def finish(lab: Lab, work: Callable[[], Any], *steps: str, **options: Any) -> WorkflowRun:
    actor = lab.actor(lambda: work(), actor_name="work", **options)
    flow = Workflow("flow")
    for step in steps or ("a",):
        flow.add(step, actor.message())
    return lab.finish(flow)


def ended(run: WorkflowRun) -> Event:
    return list(run.events())[-1]


def test_a_call_is_kept_with_its_cost(lab: Lab) -> None:
    run = finish(lab, lambda: str(use("one")))
    assert run.result("a") == "0.000107"
    report = run.usage()
    assert report.total.cost == Decimal("0.000107")
    assert (report.total.calls, report.total.input_tokens, report.total.output_tokens) == (1, 1000, 10)
    (call,) = report.calls
    assert (call.step, call.attempt, call.usage.model) == ("a", 1, "one")
    assert report.budget is None


def test_a_response_is_taken_as_it_is(lab: Lab) -> None:
    response = {"model": "two", "usage": {"prompt_tokens": 100, "completion_tokens": 20}}
    run = finish(lab, lambda: str(this_step().record_usage(response)))
    assert run.result("a") == "0.0004"


def test_attempts_that_failed_afterwards_count(lab: Lab) -> None:
    def work() -> Any:
        use()
        if this_step().attempt == 1:
            raise ValueError("the answer was no JSON")
        return Snooze(1) if this_step().attempt == 2 else None

    report = finish(lab, work).usage()
    assert [call.attempt for call in report.calls] == [1, 2, 3]
    assert report.total.cost == 3 * Decimal("0.000107")


def test_costs_are_summed_exactly(lab: Lab) -> None:
    def work() -> None:
        for _ in range(10):
            use("one", 1)

    run = finish(lab, work, "a", "b", "c")
    assert run.usage().total.cost == 30 * (Decimal("0.1") + 7) / 1_000_000
    assert run.status().cost == run.usage().total.cost == ended(run).cost


def test_the_finished_event_tells_what_was_used(lab: Lab) -> None:
    def work() -> None:
        use("two")
        use("unknown")

    event = ended(finish(lab, work))
    assert event.cost == Decimal("0.00305")
    assert (event.calls, event.input_tokens, event.output_tokens, event.unpriced) == (2, 2000, 20, 1)


def test_events_of_a_workflow_that_calls_no_provider_tell_of_no_cost(lab: Lab) -> None:
    run = finish(lab, lambda: None)
    assert run.usage().calls == ()
    assert run.status().cost is None
    assert all(event.cost is None and event.calls is None for event in run.events())


def test_an_unknown_model_is_unpriced_not_guessed(lab: Lab) -> None:
    run = finish(lab, lambda: use("unknown"))
    assert run.result("a") is None
    report = run.usage()
    assert [call.usage.model for call in report.unpriced] == ["unknown"]
    assert (report.total.cost, report.by_model["unknown"].unpriced) == (0, 1)
    assert run.status().cost is None


def test_what_cannot_be_recorded_is_refused_and_nothing_is(lab: Lab) -> None:
    def work() -> str:
        with pytest.raises(ConfigurationError):
            this_step().record_usage({"no": "usage"})
        with pytest.raises(ConfigurationError):
            this_step().record_usage(model="one", input_tokens=-1, output_tokens=1)
        with pytest.raises(TypeError):
            this_step().record_usage(model="one")  # type: ignore[call-overload]
        return "refused"

    run = finish(lab, work)
    assert run.result("a") == "refused"
    assert run.usage().calls == ()


def test_async_actors_record_without_holding_up_their_event_loop(make_lab: MakeLab) -> None:
    lab = make_lab(lambda baton: [*stock(), AsyncIO(), baton], pricing=PRICES)

    @lab.actor
    async def ask() -> None:
        await asyncio.to_thread(this_step().record_usage, model="one", input_tokens=5, output_tokens=5)

    flow = Workflow("flow")
    flow.add("a", ask.message())
    assert lab.finish(flow).usage().total.calls == 1


def test_a_call_within_once_is_recorded_once(lab: Lab) -> None:
    def work() -> None:
        this_step().once("draft", use)
        if this_step().attempt < 3:
            raise ValueError("later")

    assert finish(lab, work).usage().total.calls == 1


def test_a_call_counts_once_though_the_reply_to_its_record_is_lost(
    make_lab: MakeLab, own_world: World
) -> None:
    lost: list[Command] = []

    def fate(command: Command) -> Fate:
        if b"the-model" in b"".join(command) and command[0].startswith(b"EVAL") and len(lost) < 2:
            lost.append(command)
            return Fate.CUT_AFTER
        return Fate.KEPT

    with Line(own_world.url, fate) as line:
        lab = make_lab(url=line.url, pricing=PriceList({"the-model": Price(Decimal(1), Decimal(1))}))
        run = finish(lab, lambda: str(use("the-model", 1_000_000 - 10)))
        assert run.result("a") == "1"
        assert run.usage().total.calls == 1
        assert run.status().cost == 1
    assert len(lost) == 2


def test_what_is_spent_after_the_workflow_was_cancelled_is_shown_and_goes_with_its_data(
    lab: Lab, own_world: World
) -> None:
    flow = Workflow("flow")
    flow.add(
        "a", lab.actor(lambda: (lab.note("runs"), lab.wait_note("go on"), use()), actor_name="work").message()
    )
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("runs")
        run.cancel()
        assert run.status().state.finished
        lab.note("go on")
    assert run.usage().total.calls == 1
    assert own_world.redis.pttl(f"{own_world.namespace}:workflow:{{{run.id}}}:usage") > 0


def test_what_is_spent_for_a_workflow_that_is_gone_stands_in_the_log(
    lab: Lab, own_world: World, log: Log
) -> None:
    def work() -> None:
        own_world.redis.delete(*own_world.keys("workflow:*"), *own_world.keys("index:*"))
        use("two")
        lab.note("done")

    flow = Workflow("flow")
    flow.add("a", lab.actor(work).message())
    with lab.working():
        lab.run(flow)
        lab.wait_note("done")
    (line,) = log.lines("whose workflow is gone")
    assert "model='two'" in line
    assert "cost='0.00305'" in line
    assert not own_world.keys("workflow:{*:usage")


def test_it_waits_for_a_redis_that_is_away(split_lab: Lab, state_server: StateServer) -> None:
    def work() -> None:
        split_lab.note("before")
        split_lab.wait_note("stopped")
        use("unknown")

    flow = Workflow("flow")
    flow.add("a", split_lab.actor(work).message())
    with split_lab.working(), Log() as log:
        run = split_lab.run(flow)
        split_lab.wait_note("before")
        state_server.stop()
        split_lab.note("stopped")
        log.wait("what='what a call cost'")
        state_server.start()
        run.wait(timeout=30_000)
    assert run.usage().total.calls == 1


def test_a_retry_of_the_workflow_keeps_what_was_spent(lab: Lab) -> None:
    def work() -> None:
        use()
        if this_step().attempt == 1:
            raise ValueError("boom")

    flow = Workflow("flow")
    flow.add("a", lab.actor(work, max_retries=0).message())
    with lab.working():
        run = lab.run(flow)
        run.wait(timeout=30_000)
        run.retry()
        run.wait(timeout=30_000)
    assert [call.attempt for call in run.usage().calls] == [1, 2]
    assert run.status().cost == 2 * Decimal("0.000107")
