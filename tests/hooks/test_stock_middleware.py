"""Contract 2: what Dramatiq's own middleware does for any actor, it does for a step, and once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from dramatiq import Middleware, group, pipeline
from dramatiq.middleware import CurrentMessage, GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend as RedisRateLimits
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from dramatiq_baton import BatonMiddleware, Discard, Snooze, StepState, Workflow
from tests.support.lab import Lab, stock
from tests.support.own import MakeLab
from tests.support.world import World


class Watched(RedisBackend):
    """A result backend that keeps what it was given to store."""

    def __init__(self, world: World) -> None:
        super().__init__(url=world.broker_url, namespace=f"{world.namespace}:results")
        self.stored: list[Any] = []

    def store_result(self, message: Any, result: Any, ttl: int) -> None:
        self.stored.append(result)
        super().store_result(message, result, ttl)


@pytest.fixture
def results(own_world: World) -> Watched:
    return Watched(own_world)


def _with_results(results: Watched, **options: Any) -> Any:
    return lambda baton: [*stock(), Results(backend=results, **options), baton]


def _answering(lab: Lab, *answers: Any, **options: Any) -> Workflow:
    """A workflow of one step ``a``, whose runs answer with ``answers`` in turn."""

    @lab.actor(**options)
    def work() -> Any:
        answer = answers[lab.note("ran") - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    flow = Workflow("flow")
    flow.add("a", work.message())
    return flow


def test_results_stores_the_value_of_a_completed_step(make_lab: MakeLab, results: Watched) -> None:
    lab = make_lab(_with_results(results, store_results=True))
    run = lab.finish(_answering(lab, {"x": 1}))
    assert lab.sent.of("a").get_result(backend=results, block=True) == {"x": 1}
    assert run.result("a") == {"x": 1}
    assert results.stored == [{"x": 1}]


def test_results_stores_nothing_for_a_step_that_snoozes_or_is_to_be_retried(
    make_lab: MakeLab, results: Watched
) -> None:
    lab = make_lab(_with_results(results, store_results=True))
    lab.finish(_answering(lab, Snooze(10), ValueError("boom"), Snooze(10), "value"))
    assert lab.sent.of("a").get_result(backend=results, block=True) == "value"
    assert results.stored == ["value"]  # no None for each message that was skipped


def test_results_stores_nothing_for_a_step_that_waits_for_its_deps(
    make_lab: MakeLab, results: Watched
) -> None:
    lab = make_lab(_with_results(results, store_results=True))
    told = threading.Event()

    @lab.actor
    def slow() -> str:
        assert told.wait(30)
        return "slow"

    @lab.actor
    def follow() -> str:
        return "follow"

    flow = Workflow("flow")
    flow.add("a", slow.message())
    flow.add("b", follow.message(), deps="a")
    with lab.working():
        run = lab.run(flow, dispatch="eager")
        assert any(event.event == "snoozed" for event in run.events(follow=True))
        told.set()
        run.wait(timeout=30_000)
        assert lab.sent.of("b").get_result(backend=results, block=True) == "follow"
    assert results.stored == ["slow", "follow"]


def test_an_actor_may_ask_for_its_own_result_to_be_stored(make_lab: MakeLab, results: Watched) -> None:
    lab = make_lab(_with_results(results))
    lab.finish(_answering(lab, Snooze(10), "value", store_results=True))
    assert lab.sent.of("a").get_result(backend=results, block=True) == "value"


def test_current_message_is_the_steps(make_lab: MakeLab) -> None:
    lab = make_lab(lambda baton: [*stock(), CurrentMessage(), baton])

    @lab.actor
    def work() -> str:
        message = CurrentMessage.get_current_message()
        assert message is not None
        return message.message_id

    flow = Workflow("flow")
    message = work.message()
    flow.add("a", message)
    assert lab.finish(flow).result("a") == message.message_id


def test_on_success_is_called_once_when_a_step_completes(lab: Lab) -> None:
    @lab.plain_actor
    def succeeded(message: dict[str, Any], result: Any) -> None:
        lab.note(f"succeeded {result}")

    flow = _answering(lab, Snooze(10), ValueError("boom"), "value", on_success="succeeded")
    with lab.working():
        lab.run(flow).wait(timeout=30_000)
        lab.wait_note("succeeded value")
    assert [note for note in lab.notes if note != "ran"] == ["succeeded value"]


def test_on_failure_is_called_for_each_failure_as_for_any_actor(lab: Lab) -> None:
    @lab.plain_actor
    def failed(message: dict[str, Any], error: dict[str, str]) -> None:
        lab.note(f"failed {error['type']}")

    flow = _answering(lab, ValueError("one"), Snooze(10), KeyError("two"), "value", on_failure="failed")
    with lab.working():
        run = lab.run(flow)
        run.wait(timeout=30_000)
        lab.wait_note("failed ValueError")
        lab.wait_note("failed KeyError")
    assert sorted(note for note in lab.notes if note != "ran") == ["failed KeyError", "failed ValueError"]
    assert run.result("a") == "value"


def test_a_steps_value_goes_into_its_pipe_once(lab: Lab) -> None:
    @lab.plain_actor
    def target(value: Any) -> None:
        lab.note(f"piped {value}")

    @lab.actor
    def work() -> Any:
        return Snooze(10) if lab.note("ran") == 1 else "value"

    flow = Workflow("flow")
    flow.add("a", pipeline([work.message(), target.message()], broker=lab.broker).messages[0])
    with lab.working():
        lab.run(flow).wait(timeout=30_000)
        lab.wait_note("piped value")
    assert lab.notes == ["ran", "ran", "piped value"]


def test_a_step_that_is_given_up_fills_no_pipe(lab: Lab) -> None:
    @lab.plain_actor
    def target(value: Any) -> None:
        lab.note(f"piped {value}")

    @lab.actor
    def work() -> Any:
        return Discard("no such page")

    flow = Workflow("flow")
    flow.add("a", pipeline([work.message(), target.message()], broker=lab.broker).messages[0])
    with lab.working():
        lab.run(flow).wait(timeout=30_000)
        target.send("last")
        lab.wait_note("piped last")
    assert lab.notes == ["piped last"]


def test_group_callbacks_run_beside_workflows(make_lab: MakeLab, own_world: World) -> None:
    def arrange(baton: BatonMiddleware) -> Sequence[Middleware]:
        backend = RedisRateLimits(url=own_world.broker_url)
        return [*stock(), GroupCallbacks(backend, barrier_ttl=60_000), baton]

    lab = make_lab(arrange)

    @lab.plain_actor
    def plain() -> None:
        lab.note("plain")

    @lab.plain_actor
    def all_done() -> None:
        lab.note("all done")

    jobs = group([plain.message() for _ in range(5)], broker=lab.broker)
    jobs.add_completion_callback(all_done.message())
    with lab.working():
        run = lab.run(_answering(lab, Snooze(10), ValueError("boom"), "value"))
        jobs.run()
        lab.wait_note("all done")
        run.wait(timeout=30_000)
    assert lab.notes.count("plain") == 5
    assert lab.notes.count("all done") == 1
    assert run.status().counts == {StepState.COMPLETED: 1}
