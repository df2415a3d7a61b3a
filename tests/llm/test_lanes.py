"""A lane learns a provider's limit from refusals, and keeps it: asked and told by hand, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowRun
from dramatiq_baton.store.replies import Claim, Gate
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.lanes import Lane
from tests.support.llm_actors import declare
from tests.support.world import World

SECOND = 1000
MINUTE = 60 * SECOND


class Desk:
    """A workflow of steps in one lane, started and refused by hand."""

    def __init__(self, world: World, hand: ByHand, steps: int) -> None:
        actors = declare(world.broker)
        flow = Workflow("flow")
        for number in range(steps):
            flow.add(f"s{number}", actors.ask_in_turn.message("", ""))
        self.run: WorkflowRun = flow.run(broker=world.broker)
        self.lane = Lane(world, "ask_in_turn")
        self.hand = hand
        self._next = 0

    def claim(self, step: str = "", **options: object) -> tuple[str, Claim]:
        """Ask for one more step, or for this one."""
        if not step:
            step, self._next = f"s{self._next}", self._next + 1
        return step, self.hand.claim(self.run, step, **options)  # type: ignore[arg-type]

    def begin(self, times: int = 1) -> list[tuple[str, Claim]]:
        """Let more steps call."""
        begun = [self.claim() for _ in range(times)]
        assert [claim.word for _, claim in begun] == [Gate.RUN] * times
        return begun

    def refuse(self, begun: tuple[str, Claim], asked: int = 0) -> None:
        """Have the provider refuse a step's call."""
        step, claim = begun
        address, snoozed = Address(self.run.id, step), StepState.SNOOZED
        seq = self.hand.store.defer(
            address, claim.token, snoozed, delay=MINUTE, retries=0, worker="by hand", refused=asked
        )
        assert seq is not None

    def turn(self, step: str) -> int:
        """When a step's turn is, in milliseconds since 1970."""
        return self.run.status().steps[step].started_at or 0


MakeDesk = Callable[[int], Desk]


@pytest.fixture
def desk(own_world: World, by_hand: ByHand) -> MakeDesk:
    return lambda steps: Desk(own_world, by_hand, steps)


def test_nobody_waits_as_long_as_nobody_is_refused(desk: MakeDesk) -> None:
    one = desk(60)
    assert {claim.turn for _, claim in one.begin(60)} == {0.0}
    assert one.lane.rate == 0
    one.run.cancel()


def test_a_refusal_closes_the_lane_for_as_long_as_the_provider_asks(desk: MakeDesk) -> None:
    one = desk(2)
    one.refuse(one.begin()[0], asked=MINUTE)
    step, claim = one.claim()
    assert claim.word is Gate.SNOOZED
    assert MINUTE - 10 * SECOND < claim.delay <= MINUTE
    status = one.run.status().steps[step]
    assert (status.state, status.attempt) == (StepState.SNOOZED, 0)
    event = [event for event in one.run.events() if event.step == step][-1]
    assert (event.event, event.delay) == ("snoozed", claim.delay)
    assert event.reason == status.reason == "waits for its turn: the provider's limit"
    one.lane.pass_time(MINUTE)
    assert one.claim(step, seq=claim.seq)[1].attempt == 1
    one.run.cancel()


def test_if_the_provider_names_no_time_it_closes_for_a_second(desk: MakeDesk) -> None:
    one = desk(2)
    before = one.lane.now()
    one.refuse(one.begin()[0])
    step, _ = one.begin()[0]
    assert one.turn(step) >= before + SECOND
    one.run.cancel()


def test_it_closes_for_an_hour_at_most(desk: MakeDesk) -> None:
    one = desk(2)
    one.refuse(one.begin()[0], asked=7 * 24 * 60 * MINUTE)
    assert one.claim()[1].delay <= 60 * MINUTE
    assert 60 * MINUTE < one.lane.ttl <= 70 * MINUTE
    one.run.cancel()


def test_it_goes_on_at_a_little_less_than_was_accepted(desk: MakeDesk) -> None:
    one = desk(12)
    begun = one.begin(12)
    for refused in begun[:3]:  # the first two are known only when the rate has been reckoned
        one.lane.set(since=one.lane.now())
        one.refuse(refused)
    assert one.lane.rate == pytest.approx(0.9 * 9)
    one.run.cancel()


def test_turns_are_not_closer_than_the_rate_allows(desk: MakeDesk) -> None:
    one = desk(5)
    one.lane.set(rate=10)
    turns = [one.turn(step) for step, _ in one.begin(5)]
    assert all(later - earlier >= 95 for earlier, later in pairwise(turns)), turns
    one.run.cancel()


def test_who_has_to_wait_is_told_to_come_when_those_before_are_through(desk: MakeDesk) -> None:
    one = desk(6)
    one.lane.set(rate=0.5, next=one.lane.now() + MINUTE)
    delays = [one.claim()[1].delay for _ in range(5)]
    assert all(later - earlier >= 1000 for earlier, later in pairwise(delays)), delays
    one.lane.pass_time(MINUTE)
    _, claim = one.claim()
    assert claim.word is Gate.SNOOZED  # there was a free turn, but others have waited for it
    assert one.claim("s0", seq=1)[1].word is Gate.RUN
    one.run.cancel()


def test_who_comes_too_early_keeps_its_place(desk: MakeDesk) -> None:
    one = desk(2)
    one.lane.set(rate=0.1, next=one.lane.now() + MINUTE)
    _, first = one.claim()
    _, second = one.claim()
    line = one.lane.state["line"]
    _, again = one.claim("s1", seq=second.seq)
    assert (again.word, one.lane.state["line"]) == (Gate.SNOOZED, line)
    assert first.delay < again.delay <= second.delay
    one.run.cancel()


def test_nobody_is_told_to_come_much_later_than_others_might_be_through(desk: MakeDesk) -> None:
    one = desk(20)
    one.lane.set(rate=0.1, line=one.lane.now() + 60 * MINUTE)
    delays = [one.claim()[1].delay for _ in range(20)]
    assert all(10 * SECOND < delay <= 45 * SECOND for delay in delays), delays
    assert len(set(delays)) > 10
    one.run.cancel()


def test_a_burst_of_refusals_counts_once(desk: MakeDesk) -> None:
    one = desk(9)
    one.lane.set(rate=10, since=one.lane.now() - MINUTE)
    *burst, last = one.begin(9)
    for begun in burst:
        one.refuse(begun)
    rate = one.lane.rate
    assert rate == pytest.approx(8, rel=0.05)
    one.refuse(last)  # it had its turn before the rate fell, and called after
    assert one.lane.rate == rate
    one.run.cancel()


def test_a_refusal_of_a_later_call_counts_again(desk: MakeDesk) -> None:
    one = desk(3)
    one.lane.set(rate=10, since=one.lane.now() - MINUTE)
    one.refuse(one.begin()[0])
    rate = one.lane.rate
    one.refuse(one.begin()[0])
    assert one.lane.rate == pytest.approx(0.8 * rate)
    one.run.cancel()


def test_it_falls_to_what_was_accepted_since_it_fell_last(desk: MakeDesk) -> None:
    one = desk(8)
    one.lane.set(rate=40)
    begun = one.begin(8)
    one.lane.set(since=one.lane.now() - 250)
    one.refuse(begun[-1])
    assert 20 <= one.lane.rate <= 28  # 7 in a quarter of a second
    one.run.cancel()


def test_it_never_stops_for_ever(desk: MakeDesk) -> None:
    one = desk(40)
    for _ in range(40):
        begun = one.claim()
        while begun[1].word is Gate.SNOOZED:
            one.lane.pass_time(begun[1].delay)
            begun = one.claim(begun[0], seq=begun[1].seq)
        one.refuse(begun)
        one.lane.pass_time(SECOND)
    assert one.lane.rate == pytest.approx(0.1)
    one.run.cancel()


def test_it_rises_while_it_is_in_full_use_and_not_else(desk: MakeDesk) -> None:
    one = desk(60)
    one.lane.set(rate=5)
    for _ in range(30):
        one.lane.set(next=one.lane.now() + 500)
        one.begin()
    rate = one.lane.rate
    assert 5 < rate < 7
    for _ in range(30):
        one.lane.pass_time(MINUTE)
        one.begin()
    assert one.lane.rate == rate
    one.run.cancel()


def test_a_lane_that_nobody_uses_is_forgotten(desk: MakeDesk) -> None:
    one = desk(3)
    begun = one.begin(2)
    assert 0 < one.lane.ttl <= 10 * MINUTE
    one.refuse(begun[0])
    assert 0 < one.lane.ttl <= 10 * MINUTE + SECOND
    one.begin()
    assert 0 < one.lane.ttl <= 10 * MINUTE + 2 * SECOND
    one.run.cancel()


def test_a_delivery_that_asks_again_takes_no_other_turn(desk: MakeDesk) -> None:
    one = desk(1)
    one.lane.set(rate=1, next=one.lane.now() + 900)
    step, first = one.claim(holder="h")
    turn, lane = one.turn(step), one.lane.state
    _, again = one.claim(step, holder="h")
    assert (again.word, again.token, again.attempt) == (Gate.RUN, first.token, 1)
    assert (one.turn(step), one.lane.state) == (turn, lane)
    assert again.turn == pytest.approx(first.turn, abs=0.5)
    one.run.cancel()


def test_a_step_whose_worker_died_waits_for_a_turn_again(own_world: World, desk: MakeDesk) -> None:
    one = desk(1)
    step, first = one.begin()[0]
    own_world.redis.zadd(
        f"{own_world.namespace}:index:leases", {f"{one.run.id}\x1f{step}\x1f{first.token}": 0}
    )
    one.lane.set(rate=1, next=one.lane.now() + MINUTE)
    _, again = one.claim(step)
    assert again.word is Gate.SNOOZED
    assert not own_world.redis.zcard(f"{own_world.namespace}:index:leases")
    one.run.cancel()


def test_plain_steps_and_those_that_are_not_paced_have_no_lane(own_world: World, by_hand: ByHand) -> None:
    actors = declare(own_world.broker)
    flow = Workflow("flow")
    flow.add("plain", own_world.act())
    flow.add("not paced", actors.ask.message("", ""))
    run = flow.run(broker=own_world.broker)
    claim = by_hand.claim(run, "plain")
    assert by_hand.claim(run, "not paced").word is Gate.RUN
    by_hand.store.defer(
        Address(run.id, "not paced"), 1, StepState.SNOOZED, delay=1, retries=0, worker="w", refused=MINUTE
    )
    assert claim.word is Gate.RUN
    assert not own_world.keys("index:lane:*")
    run.cancel()
