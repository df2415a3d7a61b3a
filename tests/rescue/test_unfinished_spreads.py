"""The rescue of workflows in which some dependents were never told what became of their dep."""

from __future__ import annotations

from dramatiq_baton import StepState, WorkflowRun, WorkflowState
from dramatiq_baton.codec import encode
from dramatiq_baton.store.store import Address
from tests.support.rescuing import Rescuing

#: More than one script tells at a time.
WIDE = 250
NAMES = [f"d{i}" for i in range(WIDE)]


def _settle_and_die(rescuing: Rescuing, run: WorkflowRun, outcome: StepState) -> None:
    """Settle the step that all others wait for, as a worker that is killed right behind that."""
    token = rescuing.hand.claim(run, "root").token
    spread = rescuing.store.settle(
        Address(run.id, "root"), token, outcome, worker="by hand", result=encode("root"), reason="by hand"
    )
    assert spread.unfinished


def _wide(rescuing: Rescuing) -> WorkflowRun:
    flow = rescuing.flow("root", *NAMES, deps=dict.fromkeys(NAMES, "root"))
    flow.add("end", rescuing.act.message("end"), deps=NAMES)
    return rescuing.run_and_lose(flow)


def test_dependents_that_were_not_told_of_a_result_are_told_and_run(rescuing: Rescuing) -> None:
    run = _wide(rescuing)
    _settle_and_die(rescuing, run, StepState.COMPLETED)
    rescuing.pass_time()
    assert sorted(rescuing.look()) == sorted(NAMES)
    assert run.status().counts == {StepState.COMPLETED: 1, StepState.QUEUED: WIDE, StepState.PENDING: 1}
    rescuing.finish(run)
    assert len(rescuing.lab.notes) == WIDE + 1  # root was run by hand
    assert run.status().state is WorkflowState.COMPLETED


def test_dependents_that_were_not_told_of_a_failure_are_cancelled(rescuing: Rescuing) -> None:
    run = _wide(rescuing)
    _settle_and_die(rescuing, run, StepState.DISCARDED)
    rescuing.pass_time()
    assert rescuing.look() == []
    assert run.status().counts == {StepState.DISCARDED: 1, StepState.CANCELLED: WIDE + 1}
    assert [str(event.event) for event in run.events()].count("workflow_finished") == 1


def test_a_spread_that_somebody_is_at_is_left_alone(rescuing: Rescuing) -> None:
    run = _wide(rescuing)
    _settle_and_die(rescuing, run, StepState.COMPLETED)
    before = rescuing.world.dump(run.id)
    assert rescuing.look() == []
    assert rescuing.world.dump(run.id) == before


def test_two_that_tell_dependents_at_the_same_time_tell_each_once(rescuing: Rescuing) -> None:
    flow = rescuing.flow("root", "other", *NAMES, deps={name: ["root", "other"] for name in NAMES})
    run = rescuing.run_and_lose(flow)
    rescuing.hand.claim(run, "other")
    _settle_and_die(rescuing, run, StepState.COMPLETED)
    rescuing.store.spread(run.id)  # the worker that settled it isn't dead, it is only slow
    spreading = f"{rescuing.world.namespace}:index:spreading"
    rescuing.redis.zadd(spreading, {run.id: 0})
    assert rescuing.look() == []
    assert rescuing.store.spread(run.id).released == ()
    assert [rescuing.record(run, name)["waiting"] for name in NAMES] == [
        1
    ] * WIDE  # told twice, it would be 0


def test_a_submitter_that_died_before_all_first_steps_were_told_leaves_none_behind(
    rescuing: Rescuing,
) -> None:
    run, spread = rescuing.submit_and_die(rescuing.flow(*NAMES))
    assert spread.unfinished
    rescuing.pass_time()
    assert sorted(rescuing.look()) == sorted(NAMES)
    rescuing.finish(run)
    assert len(rescuing.lab.notes) == WIDE


def test_nothing_is_left_in_the_index_when_all_are_told(rescuing: Rescuing) -> None:
    run = _wide(rescuing)
    _settle_and_die(rescuing, run, StepState.COMPLETED)
    spreading = f"{rescuing.world.namespace}:index:spreading"
    assert rescuing.redis.zrange(spreading, 0, -1) == [run.id]
    rescuing.pass_time()
    rescuing.look()
    assert not rescuing.redis.exists(spreading)


def test_a_portion_that_ends_in_the_middle_of_a_list_tells_nobody_twice(rescuing: Rescuing) -> None:
    flow = rescuing.flow("root", "other", "b0", "b1", "b2", deps=dict.fromkeys(("b0", "b1", "b2"), "root"))
    names = [f"c{i}" for i in range(150)]
    for i, name in enumerate(names):  # 50 for each of the three
        deps = [f"b{i % 3}", "other"]
        flow.add(name, rescuing.act.message(name), deps=deps, ignore_cancelled=True)
    run = rescuing.run_and_lose(flow)
    rescuing.hand.claim(run, "other")
    _settle_and_die(rescuing, run, StepState.DISCARDED)  # cancels all three, and tells some of the 150
    assert rescuing.redis.zrange(f"{rescuing.world.namespace}:index:spreading", 0, -1) == [run.id]
    rescuing.redis.zadd(f"{rescuing.world.namespace}:index:spreading", {run.id: 0})
    assert rescuing.look() == []
    assert [rescuing.record(run, name)["waiting"] for name in names] == [1] * 150
