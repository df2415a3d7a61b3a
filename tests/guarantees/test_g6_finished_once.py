"""G6: ``workflow_finished`` once per run, whatever crashes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dramatiq_baton import Discard, Snooze, StepState, WorkflowRun, WorkflowState, current_step
from dramatiq_baton.store import upkeep
from dramatiq_baton.store.scripts import script
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.support import story
from tests.support.by_hand import ByHand
from tests.support.lab import Lab
from tests.support.line import Command, Fate, Line
from tests.support.world import World


def ends(run: WorkflowRun) -> list[str]:
    return [event.outcome for event in run.events() if event.event == "workflow_finished"]


AGAIN: dict[str, Callable[[ByHand, WorkflowRun, int], object]] = {
    "claim": lambda hand, run, token: hand.claim(run, "last"),
    "settle": lambda hand, run, token: hand.settle(run, "last", token, StepState.COMPLETED),
    "settle as failed": lambda hand, run, token: hand.settle(run, "last", token, StepState.DISCARDED),
    "spread": lambda hand, run, token: hand.store.spread(run.id),
    "defer": lambda hand, run, token: hand.store.defer(
        Address(run.id, "last"), token, StepState.QUEUED, delay=0, retries=0, worker=""
    ),
    "reject": lambda hand, run, token: hand.store.reject(Address(run.id, "last"), 0, "again"),
    "callback_done": lambda hand, run, token: hand.store.callback_done(Address(run.id, "last"), token),
    "expire": lambda hand, run, token: upkeep.expire(
        hand.store, Lease(Address(run.id, "last"), token), max_rescues=1
    ),
    "resend": lambda hand, run, token: upkeep.resend(hand.store, Overdue(Address(run.id, "last"), "q")),
}


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN.keys())
def test_no_script_that_runs_again_after_the_end_ends_it_again(
    own_world: World, by_hand: ByHand, again: Callable[[ByHand, WorkflowRun, int], object]
) -> None:
    flow = own_world.flow()
    flow.add("first", own_world.act())
    flow.add("last", own_world.act(), deps="first")
    run = own_world.run(flow)
    by_hand.complete(run, "first")
    token = by_hand.claim(run, "last").token
    by_hand.settle(run, "last", token, StepState.COMPLETED)
    before = run.status()
    for _ in range(2):
        again(by_hand, run, token)
    assert ends(run) == ["completed"]
    assert run.status() == before


def test_of_many_steps_that_settle_at_the_same_moment_one_ends_it(own_world: World) -> None:
    runs = []
    for _ in range(10):
        flow = own_world.flow()
        for number in range(4):
            flow.add(f"{number}", own_world.act())
        runs.append(own_world.run(flow))
    start = threading.Barrier(4)

    def worker(number: int) -> None:
        hand = ByHand(own_world)
        for run in runs:
            token = hand.claim(run, f"{number}").token
            start.wait(20)
            hand.settle(run, f"{number}", token, StepState.COMPLETED)
        hand.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [ends(run) for run in runs] == [["completed"]] * 10


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_where_every_reply_is_lost_once_it_still_ends_once(
    own_world: World, make_lab: Callable[..., Lab], dispatch: str
) -> None:
    """Each script is carried out, its reply lost, and it is run again by whoever didn't hear of it."""
    lost: set[bytes] = set()
    once = {script(name).sha.encode() for name in ("claim", "settle", "defer", "spread", "reject")}

    def fate(command: Command) -> Fate:
        if command[0] != b"EVALSHA" or command[1] not in once or b" ".join(command) in lost:
            return Fate.KEPT
        lost.add(b" ".join(command))
        return Fate.CUT_AFTER

    with Line(own_world.url, fate) as line:
        lab = make_lab(url=line.url, lease_ttl=1000)

        @lab.actor
        def work(order: str, inputs: object = None) -> object:
            step = current_step()
            assert step is not None
            match order:
                case "stumble" if step.attempt < 2:
                    raise ValueError("stumbled")
                case "snooze" if step.attempt < 2:
                    return Snooze(5)
                case "give up":
                    return Discard("no")
            return step.attempt

        flow = own_world.flow()
        first = flow.add("first", work.message("stumble"))
        wide = [flow.add(f"{number}", work.message("value", first)) for number in range(10)]
        flow.add("sleepy", work.message("snooze"), deps=wide)
        flow.add("bad", work.message("give up"), deps="sleepy")
        for number in range(150 if dispatch == "ready" else 5):  # more than are told in one script
            flow.add(f"unreached {number}", work.message("value"), deps="bad")
        flow.add("last", work.message("value"), deps="bad", ignore_discarded=True)
        with lab.working():
            run = lab.run(flow, dispatch=dispatch)
            status = run.wait(timeout=60_000)
        assert len(lost) > 2 * 10 + 2
        assert status.state is WorkflowState.FAILED
        assert ends(run) == ["failed"]
        events = [event for event in run.events() if not event.cached]
        assert story.violations(status, events, lease_ttl=1000) == []
        assert {step.attempt for name, step in status.steps.items() if name not in ("first", "sleepy")} == {
            0,
            1,
        }


def test_it_ends_once_though_workers_die_at_it(world: World) -> None:
    flow = world.flow()
    flow.add("deadly", world.act(["die"], ["value", "survived"]))
    flow.add("beside", world.act(["value", 1]))
    flow.add("last", world.act(["results"]), deps=["deadly", "beside"])
    with world.worker_running() as second:
        run = world.run(flow)
        first = world.worker
        status = run.wait(timeout=60_000)
        assert first is not second
    assert status.state is WorkflowState.COMPLETED
    assert run.result("last") == {"deadly": "survived", "beside": 1}
    assert ends(run) == ["completed"]
    assert story.violations(status, list(run.events()), lease_ttl=world.actors.LEASE_TTL) == []
