"""What comes between two portions of a cancel or a retry, at every point in turn."""

from __future__ import annotations

import itertools

import pytest
import redis

from dramatiq_baton.graph import Content, Graph, StepFlags, StepSpec
from dramatiq_baton.states import StepState
from dramatiq_baton.store import submission, upkeep
from dramatiq_baton.store.replies import Claim
from dramatiq_baton.store.store import Address, Store
from dramatiq_baton.store.upkeep import Lease
from tests.protocol.picture import Picture, picture

ID = "w"
NAMES = ("a", "b", "c", "d", "e")
#: More of them, so that the server can't show all at once: its hashes have up to seven entries in a bucket.
OTHERS = tuple(f"x{number}" for number in range(35))
#: A walk takes no more portions than this.
POINTS = range(16)

numbers = itertools.count()


class Workflow:
    """One workflow whose calls are made one by one."""

    def __init__(
        self, client: redis.Redis, flags: StepFlags = StepFlags.NONE, **deps: tuple[str, ...]
    ) -> None:
        self.client = client
        self.store = Store(client, namespace=f"pieces-{next(numbers)}", lease_ttl=600_000)
        specs = [
            StepSpec(
                *(name, "act", "q1", flags, deps.get(name, ()), position),
                *(f"m{position}", Content((), {}, {})),
            )
            for position, name in enumerate([*NAMES, *OTHERS])
        ]
        graph = Graph.of(specs, workflow="flow")
        spread = submission.submit(self.store, ID, "flow", graph, dispatch="ready", retention=600_000)
        while spread.unfinished:
            spread = self.store.spread(ID)

    def claim(self, step: str, seq: int = 0) -> Claim:
        return self.store.claim(
            Address(ID, step),
            holder=f"h{next(numbers)}",
            seq=seq,
            delay=5,
            max_rescues=1,
            worker="w",
            wanted=(),
        )

    def settle(self, step: str, token: int, outcome: StepState) -> str:
        return self.store.settle(Address(ID, step), token, outcome, worker="w", result=b"1").word

    def go_on(self) -> list[str]:
        """Do all that is left to be done about many steps; what is released by that."""
        released = []
        while True:
            spread = self.store.spread(ID)
            released += [step.step for step in spread.released]
            if not spread.unfinished:
                return released

    def now(self) -> Picture:
        return picture(self.client, self.store.keys, ID)


at_every_point = pytest.mark.parametrize("point", POINTS)


@at_every_point
def test_a_message_of_a_step_that_the_walk_has_not_come_to_is_dropped(
    step_by_step: redis.Redis, point: int
) -> None:
    workflow = Workflow(step_by_step)
    running = workflow.claim("a")
    workflow.store.run("cancel", ID, "by an operator", 0)
    for _ in range(point):
        workflow.store.spread(ID)
    assert {workflow.claim(name).word for name in (*NAMES, *OTHERS)} == {"settled"}
    assert workflow.settle("a", running.token, StepState.COMPLETED) == "settled"
    workflow.go_on()
    now = workflow.now()
    assert now.counts == {StepState.CANCELLED: 40}
    assert now.results == {}
    assert now.events.count(("", "workflow_finished")) == 1


def test_no_callback_is_run_for_a_step_that_is_cancelled_with_its_workflow(step_by_step: redis.Redis) -> None:
    callback = StepFlags.ON_DEP_CANCELLED
    chain = dict(zip([*NAMES, *OTHERS][1:], [(name,) for name in (*NAMES, *OTHERS)], strict=False))
    workflow = Workflow(step_by_step, callback, **chain)
    workflow.store.run("cancel", ID, "by an operator", 0)
    workflow.go_on()
    records = workflow.now().records.values()
    assert [(record[10], record[12]) for record in records] == [("by an operator", 0)] * 40


@at_every_point
@pytest.mark.parametrize("late", ["a", "b", "c"])
def test_a_first_result_that_comes_during_a_retry_counts_once(
    step_by_step: redis.Redis, point: int, late: str
) -> None:
    """Its worker was taken for dead and the step discarded; it was only slow."""
    workflow = Workflow(step_by_step, d=("a", "b", "c"), e=("d",))
    for name in OTHERS:
        workflow.settle(name, workflow.claim(name).token, StepState.DISCARDED)
    tokens = {name: workflow.claim(name).token for name in ("a", "b", "c")}
    for name, token in tokens.items():
        index = f"{workflow.store.keys.index}:leases"
        step_by_step.zadd(index, {f"{ID}\x1f{name}\x1f{token}": 0})
        upkeep.expire(workflow.store, Lease(Address(ID, name), token), max_rescues=1)
    workflow.go_on()
    assert workflow.now().counts == {StepState.DISCARDED: 38, StepState.CANCELLED: 2}
    workflow.store.run("retry", ID, "")
    for _ in range(point):
        workflow.store.spread(ID)
    kept = workflow.settle(late, tokens[late], StepState.COMPLETED) == "ok"
    workflow.go_on()

    others = {"a", "b", "c"} - ({late} if kept else set())
    states = workflow.now().states
    assert {name for name, state in states.items() if state == "queued"} == others | set(OTHERS)
    assert {name for name, state in states.items() if state == "pending"} == {"d", "e"}
    for name in sorted(others):
        assert states["d"] == "pending", name
        workflow.settle(name, workflow.claim(name, seq=9).token, StepState.COMPLETED)
        workflow.go_on()
    assert workflow.now().states["d"] == "queued"
