"""Contract 2: a step whose message Dramatiq rejects is discarded, its reason named."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Middleware
from dramatiq.middleware import SkipMessage

from dramatiq_baton import BatonMiddleware, Snooze, StepState, Workflow, WorkflowRun
from tests.support.lab import Lab, Log, stock
from tests.support.own import MakeLab
from tests.support.world import World


def _assert_discarded(run: WorkflowRun, step: str, reason: str) -> None:
    found = run.status().steps[step]
    assert (found.state, found.reason) == (StepState.DISCARDED, reason)


def test_a_step_of_an_actor_that_its_worker_doesnt_know_is_discarded(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.actors.act_async.message([]))
    flow.add("b", own_world.act(), deps="a")
    with own_world.worker_running(module="tests.support.actors_without_async") as worker:
        run = own_world.run(flow)
        run.wait(timeout=30_000)
        worker.wait_log(f"a step was never run workflow='{run.id}' step='a'")
    _assert_discarded(run, "a", "never run: ActorNotFound: act_async")
    assert run.status().steps["b"].state is StepState.CANCELLED
    assert own_world.events_of(run, "a") == ["discarded"]


def test_a_step_over_its_age_limit_is_discarded(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.actors.act.message_with_options(args=([],), max_age=1))
    run = own_world.run(flow)  # before there is a worker
    with own_world.worker_running():
        run.wait(timeout=30_000)
    _assert_discarded(run, "a", "never run: SkipMessage: Message age limit exceeded")
    assert own_world.runs_of(run, "a") == 0


def test_the_age_of_a_step_counts_from_its_release_not_from_its_submission(world: World) -> None:
    flow = world.flow()
    flow.add("first", world.act(["snooze", 2000], ["value", 1]))
    flow.add("young", world.actors.act_while_young.message([["value", 2]]), deps="first")  # max_age=1500
    run = world.finish(flow)
    assert run.results() == {"first": 1, "young": 2}


def test_the_age_of_a_snoozed_step_counts_anew(world: World) -> None:
    flow = world.flow()
    flow.add("a", world.actors.act_while_young.message([["snooze", 2000], ["attempt"]]))  # max_age=1500
    run = world.finish(flow)
    assert run.result("a") == 2


def test_a_step_whose_actor_is_no_workflow_actor_on_its_worker_is_discarded(
    make_lab: MakeLab, log: Log
) -> None:
    """As when a release takes ``@workflow_actor`` away. Run as it is, it would get placeholders for results."""
    older, newer = make_lab(), make_lab()

    @older.actor(actor_name="work")
    def work_of_older(value: str) -> None: ...

    @newer.plain_actor(actor_name="work")
    def work_of_newer(value: str) -> None:
        newer.note(value)

    for lab in (older, newer):
        lab.actor(lambda: "made", actor_name="make")

    flow = Workflow("flow")
    flow.add("b", work_of_older.message(flow.add("a", older.broker.get_actor("make").message())))
    run = older.run(flow)
    with newer.working():
        run.wait(timeout=30_000)
    assert newer.notes == []
    _assert_discarded(run, "b", "never run: SkipMessage: actor 'work' isn't a workflow actor here")
    assert log.lines(f"a step was never run workflow='{run.id}' step='b'")


class Refusing(Middleware):
    """Refuses the first message of each actor that is named ``refused``."""

    def __init__(self, how: str) -> None:
        self.how = how

    def before_process_message(self, broker: dramatiq.Broker, message: Message[Any]) -> None:
        if message.actor_name != "refused":
            return
        match self.how:
            case "skips":
                raise SkipMessage("not on a Sunday")
            case "fails":
                message.fail()  # type: ignore[attr-defined]
            case "fails and skips":
                message.fail()  # type: ignore[attr-defined]
                raise SkipMessage("not on a Sunday")


def _refusing_lab(make_lab: MakeLab, where: str, how: str) -> Lab:
    def arrange(baton: BatonMiddleware) -> list[Middleware]:
        refusing = Refusing(how)
        return [*stock(), refusing, baton] if where == "before Baton" else [*stock(), baton, refusing]

    return make_lab(arrange)


@pytest.mark.parametrize("where", ["before Baton", "behind Baton"])
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("skips", "never run: a middleware skipped its message"),
        ("fails and skips", "never run: SkipMessage: not on a Sunday"),
        ("fails", "never run: a middleware failed its message"),
    ],
)
def test_a_step_whose_message_a_middleware_refuses_is_discarded(
    make_lab: MakeLab, log: Log, where: str, how: str, reason: str
) -> None:
    lab = _refusing_lab(make_lab, where, how)

    @lab.actor
    def refused() -> None:
        lab.note("ran")

    @lab.actor
    def other() -> int:
        return 1

    flow = Workflow("flow")
    flow.add("a", refused.message())
    flow.add("b", other.message(), deps="a")
    flow.add("c", other.message())
    run = lab.finish(flow)
    _assert_discarded(run, "a", reason)
    assert run.status().steps["b"].state is StepState.CANCELLED
    assert run.results() == {"c": 1}
    assert lab.notes == []


def test_a_step_that_is_refused_after_a_snooze_is_discarded_too(lab: Lab) -> None:
    @lab.actor
    def work() -> Any:
        lab.note("ran")
        return Snooze(10)

    class SecondTime(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Message[Any]) -> None:
            if lab.notes:
                raise SkipMessage("once is enough")

    lab.broker.add_middleware(SecondTime(), before=BatonMiddleware)
    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.finish(flow)
    _assert_discarded(run, "a", "never run: a middleware skipped its message")
    assert lab.events_of(run, "a") == ["executing", "snoozed", "discarded"]
    assert lab.notes == ["ran"]
