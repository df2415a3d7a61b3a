"""The real scripts on a real server, called in any order that messages, workers and deaths can bring about.

Hypothesis makes up small graphs and calls; ``model`` says what each call must answer and what must hold behind it.
The clock is moved by setting scores in the indexes. In the end all messages are lost, and the rescue must finish.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from dramatiq_baton.errors import WorkflowRunning
from dramatiq_baton.graph import Content, Graph, StepFlags, StepSpec
from dramatiq_baton.states import StepState
from dramatiq_baton.store import reading, steering, submission, upkeep
from dramatiq_baton.store.keys import SEPARATOR
from dramatiq_baton.store.replies import Claim, Released, Spread
from dramatiq_baton.store.store import Address, Store
from dramatiq_baton.store.upkeep import Lease, Overdue
from tests.protocol.machine import play
from tests.protocol.model import SETTLED, Model, Step, acceptable
from tests.protocol.picture import QUEUES, picture

ID = "w"
MAX_RESCUES = 3
HOLDERS = st.sampled_from(["h1", "h2", "h3"])
LATELY = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5])  # which of the things seen so far, from the latest on
OUTCOMES = st.sampled_from(["completed", "discarded", "cancelled"])
DEFERRED = st.sampled_from(["retryable", "snoozed", "queued"])

numbers = itertools.count()


@st.composite
def graphs(draw: st.DrawFn) -> list[StepSpec]:
    """Chains, diamonds, fans and islands of up to 5 steps, with any flags and quorums.

    What stands first in a list is drawn most.
    """
    specs: list[StepSpec] = []
    for number in range(draw(st.sampled_from([5, 4, 3, 2, 1]))):
        deps = [spec.name for spec in specs if draw(st.sampled_from([True, False]))]
        flags, queue = StepFlags(draw(st.integers(0, 15))), draw(st.sampled_from(QUEUES))
        delay = draw(st.sampled_from([0, 0, 60_000]))
        quorum = draw(st.sampled_from([0, *range(1, len(deps) + 1)]))
        content = Content((), {}, {})
        specs.append(
            StepSpec(
                *(f"s{number}", "act", queue, flags, tuple(deps), number, f"m{number}", content),
                delay=delay,
                quorum=quorum,
            )
        )
    return specs


class Protocol(RuleBasedStateMachine):
    """One workflow in a namespace of its own."""

    client: redis.Redis

    @initialize(specs=graphs(), dispatch=st.sampled_from(["ready", "eager"]))
    def submit(self, specs: list[StepSpec], dispatch: str) -> None:
        self.store = self.new_store()
        self.specs = {spec.name: spec for spec in specs}
        self.messages: list[tuple[str, int]] = []
        self.leases: list[tuple[str, int]] = []
        self.first_results: dict[str, bytes] = {}
        steps = {
            spec.name: Step(spec.flags, spec.deps, set(spec.deps), spec.quorum, delayed=spec.delay > 0)
            for spec in specs
        }
        self.model = Model(steps, MAX_RESCUES)
        graph = Graph.of(specs, workflow="flow")
        spread = submission.submit(self.store, ID, "flow", graph, dispatch=dispatch, retention=600_000)
        assert spread.word == "created"
        self.sent(spread.released)
        if dispatch == "eager":
            self.messages = [(name, 0) for name in self.specs]

    def new_store(self) -> Store:
        return Store(self.client, namespace=f"protocol-{next(numbers)}", lease_ttl=600_000)

    # What workers do ----------------------------------------------------------------------------

    @precondition(lambda self: self.messages)
    @rule(which=LATELY, holder=HOLDERS, before=st.sampled_from([(), (), ("h1",), ("h2", "h3")]))
    def claim(self, which: int, holder: str, before: tuple[str, ...]) -> None:
        self.ask(*lately(self.messages, which), holder, before)

    @precondition(lambda self: self.messages)
    @rule(which=LATELY, outcomes=st.lists(OUTCOMES, min_size=1, max_size=4))
    def work(self, which: int, outcomes: list[str]) -> None:
        """A worker takes some messages, and answers before anything else happens."""
        for outcome in outcomes:
            claim = self.ask(*lately(self.messages, which), f"quick-{next(numbers)}", ())
            if claim.word == "run":
                self.settle(0, outcome, False)
            elif claim.word == "callback":
                self.callback_done(0)

    @precondition(lambda self: self.leases)
    @rule(which=LATELY, outcome=OUTCOMES, twice=st.booleans())
    def settle(self, which: int, outcome: str, twice: bool) -> None:
        name, token = lately(self.leases, which)
        for _ in range(1 + twice):
            result = b"%d" % next(numbers)
            step = self.model.steps[name]
            if outcome == "completed" and not step.settled and token > step.void:
                self.first_results[name] = result
            spread = self.store.settle(
                address(name),
                token,
                StepState(outcome),
                worker="w",
                result=result if outcome == "completed" else b"",
            )
            self.sent(spread.released)
            assert spread.word == self.model.settle(name, token, outcome, result)

    @precondition(lambda self: self.leases)
    @rule(which=LATELY, state=DEFERRED, twice=st.booleans())
    def defer(self, which: int, state: str, twice: bool) -> None:
        name, token = lately(self.leases, which)
        for _ in range(1 + twice):
            seq = self.store.defer(address(name), token, StepState(state), delay=5, retries=1, worker="w")
            if seq is not None:
                self.messages.append((name, seq))
            assert seq == self.model.defer(name, token, state)

    @precondition(lambda self: self.messages)
    @rule(which=LATELY)
    def reject(self, which: int) -> None:
        name, seq = lately(self.messages, which)
        spread = self.store.reject(address(name), seq, "refused")
        self.sent(spread.released)
        assert spread.word == self.model.reject(name, seq)

    @precondition(lambda self: self.leases)
    @rule(which=LATELY)
    def callback_done(self, which: int) -> None:
        name, token = lately(self.leases, which)
        self.store.callback_done(address(name), token)
        self.model.callback_done(name, token)

    @precondition(lambda self: self.leases)
    @rule()
    def renew(self) -> None:
        asked = {Lease(address(name), token) for name, token in self.leases}
        steps = self.model.steps
        lost = {lease for lease in asked if not steps[lease.address.step].lease}
        lost |= {lease for lease in asked if steps[lease.address.step].token != lease.token}
        assert set(upkeep.renew(self.store, list(asked))) == lost
        for lease in lost:
            fate = upkeep.fate_of(self.store, lease)
            assert fate.called_off == (lease.token <= steps[lease.address.step].void)
        for lease in asked - lost:
            steps[lease.address.step].lease = "live"

    # What operators do --------------------------------------------------------------------------

    @rule(twice=st.booleans())
    def cancel(self, twice: bool) -> None:
        for _ in range(1 + twice):
            number = steering.cancel(self.store, ID, "by an operator", interrupt=False).number
            assert number == self.model.cancel([step for step, _ in self.news() if step])

    @precondition(lambda self: self.model.ended)
    @rule()
    def retry(self) -> None:
        number, left = steering.begin_retry(self.store, ID)
        while left.unfinished:
            left = self.store.spread(ID)
            self.sent(left.released)
        assert number == self.model.retry([step for step, _ in self.news() if step])

    @precondition(lambda self: any(step.state == "executing" for step in self.model.steps.values()))
    @rule(which=LATELY, again=st.booleans(), outcome=OUTCOMES, deferred=st.booleans())
    def call_off_and_retry(self, which: int, again: bool, outcome: str, deferred: bool) -> None:
        """A worker doesn't hear that its step was called off until the workflow has been retried, and then answers."""
        running = [name for name, step in self.model.steps.items() if step.state == "executing"]
        name = lately(running, which)
        late = (name, self.model.steps[name].token)
        self.cancel(False)
        if not self.model.ended:  # a callback is still to be run
            return
        self.retry()
        if again:
            self.ask(name, self.model.steps[name].seq, f"other-{next(numbers)}", ())
        self.leases.append(late)
        if deferred:
            self.defer(0, "retryable", False)
        else:
            self.settle(0, outcome, True)

    @precondition(lambda self: not self.model.ended)
    @rule()
    def retry_what_runs(self) -> None:
        with pytest.raises(WorkflowRunning):
            steering.begin_retry(self.store, ID)

    # What time and the rescue do ----------------------------------------------------------------

    @precondition(lambda self: any(step.lease == "live" for step in self.model.steps.values()))
    @rule(which=LATELY)
    def run_out(self, which: int) -> None:
        name = lately([name for name, step in self.model.steps.items() if step.lease == "live"], which)
        step = self.model.steps[name]
        assert self.client.zadd(self.key("leases"), {self.member(name, step.token): 1}, xx=True, ch=True) == 1
        step.lease = "out"

    @precondition(lambda self: any(step.lease == "live" for step in self.model.steps.values()))
    @rule(which=LATELY, rescued=st.booleans(), outcome=OUTCOMES, deferred=st.booleans())
    def take_over(self, which: int, rescued: bool, outcome: str, deferred: bool) -> None:
        """A worker is paused until another one has its step, and then answers."""
        name = lately([name for name, step in self.model.steps.items() if step.lease == "live"], which)
        late, step = (name, self.model.steps[name].token), self.model.steps[name]
        self.run_out(which)
        if rescued:
            self.bury(Lease(address(name), step.token))
        self.ask(name, step.seq, f"other-{next(numbers)}", ())
        self.leases.append(late)
        if deferred:
            self.defer(0, "retryable", False)
        else:
            self.settle(0, outcome, False)

    @precondition(lambda self: self.leases)
    @rule(which=LATELY)
    def expire(self, which: int) -> None:
        name, token = lately(self.leases, which)
        self.bury(Lease(address(name), token))

    @rule(name=st.sampled_from(["s0", "s1", "s2"]), found_in=st.sampled_from(["queued", "waiting"]))
    def resend(self, name: str, found_in: str) -> None:
        if name in self.specs:
            self.send_again(Overdue(address(name), self.specs[name].queue if found_in == "queued" else ""))

    @rule()
    def spread(self) -> None:
        assert self.store.spread(ID) == Spread("ok")

    @rule()
    def look(self) -> None:
        """One look of the rescue, a while after."""
        self.rescue()

    def teardown(self) -> None:
        """G4: all messages and workers are gone. The rescue alone brings the workflow to its end."""
        if sys.exc_info()[0] is not None:  # a rule has failed; nothing shall hide that
            return
        for _ in range(60):
            if self.model.finished:
                break
            self.age("leases")
            for step in self.model.steps.values():
                step.lease = step.lease and "out"
            self.messages.clear()
            self.rescue()
            for name, seq in list(self.messages):
                claim = self.ask(name, seq, f"end-{next(numbers)}", ())
                if claim.word == "run":
                    self.settle(0, "completed", False)
                elif claim.word == "callback":
                    self.callback_done(0)
        assert self.model.finished
        self.all_is_as_the_model_says()
        assert reading.status(self.store, ID).finished_at is not None
        self.client.delete(*self.client.keys(f"{self.store.keys.namespace}:*"))
        self.store.connections.close()

    # What must hold -----------------------------------------------------------------------------

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        model, now = self.model.steps, picture(self.client, self.store.keys, ID)
        states = {name: now.states.get(name, "pending") for name in model}
        assert states == {name: step.state for name, step in model.items()}
        for name, record in now.records.items():
            step = model[name]
            assert (record[2], record[3], record[6]) == (step.attempt, step.token, step.seq), name
            assert (record[5], record[12]) == (step.deaths, step.callback), name
        assert now.results == self.first_results  # G2
        held = {self.member(name, step.token) for name, step in model.items() if step.lease}
        assert now.leases == held  # G3: one lease a step
        assert now.counts == Counter(states.values())
        callbacks = sum(step.callback for step in model.values())
        assert now.open == callbacks + sum(state not in SETTLED for state in states.values())
        assert now.waiting == {self.member(n) for n, s in states.items() if s in ("snoozed", "retryable")}
        for queue in QUEUES:
            here = {name: step for name, step in model.items() if self.specs[name].queue == queue}
            may = {
                self.member(n) for n, s in here.items() if s.callback
            }  # sent again while the callback runs
            running = {self.member(n) for n, s in here.items() if s.lease}
            must = {self.member(n) for n, s in here.items() if s.state == "queued"} | may - running
            assert must <= now.queued[queue] <= must | may

        assert now.events == self.model.events
        told = Counter(now.events)
        for name, step in model.items():
            assert sum(told[name, end] for end in SETTLED) == step.settled + step.resets
        assert told["", "workflow_finished"] == told["", "workflow_started"] - (not self.model.ended)  # G6

    # Calls --------------------------------------------------------------------------------------

    def ask(self, name: str, seq: int, holder: str, before: tuple[str, ...]) -> Claim:
        step = self.model.steps[name]
        other = step.lease == "live" and step.holder not in (holder, *before)
        claim = self.store.claim(
            address(name),
            holder=holder,
            seq=seq,
            delay=5,
            max_rescues=MAX_RESCUES,
            worker=holder,
            wanted=self.specs[name].deps,
            before=before,
        )
        self.sent(claim.spread.released)
        if claim.word == "run":
            assert not other  # G3
            assert acceptable(self.specs[name], {n: s.state for n, s in self.model.steps.items()})  # G1
            got = [stored.data for stored in claim.results]
            assert got == [self.first_results.get(dep) for dep in self.specs[name].deps]
        assert claim.word == self.model.claim(name, holder, seq, before)
        if claim.token:
            assert claim.token == step.token
            self.leases.append((name, claim.token))
        if claim.word == "snoozed":
            assert claim.seq == step.seq
            self.messages.append((name, claim.seq))
        if claim.word == "cached":
            assert claim.cached == self.first_results[name]
        return claim

    def bury(self, lease: Lease) -> None:
        spread = upkeep.expire(self.store, lease, max_rescues=MAX_RESCUES)
        self.sent(spread.released)
        assert spread.word == self.model.expire(lease.address.step, lease.token)

    def send_again(self, overdue: Overdue) -> None:
        spread = upkeep.resend(self.store, overdue)
        self.sent(spread.released)
        expected = self.model.resend(overdue.address.step, "queued" if overdue.queue else "waiting")
        assert spread.word == expected
        assert len(spread.released) == (expected == "ok")

    def rescue(self) -> None:
        self.age("waiting", *(f"queued:{queue}" for queue in QUEUES))
        self.client.delete(self.key("progress"))  # nothing has been claimed for a while
        due = upkeep.sweep(self.store, who="me", alone_for=1000, most=100)
        assert due is not None
        assert not due.spreading
        steps = self.model.steps
        assert {lease.address.step for lease in due.leases} == {
            n for n, s in steps.items() if s.lease == "out"
        }
        for lease in due.leases:
            self.bury(lease)
        for overdue in due.overdue:
            self.send_again(overdue)

    def news(self) -> list[tuple[str, str]]:
        """The events that the model doesn't know of yet."""
        return picture(self.client, self.store.keys, ID).events[len(self.model.events) :]

    def age(self, *indexes: str) -> None:
        ask = self.client.pipeline(transaction=False)
        for index in indexes:  # each score becomes 0
            ask.zunionstore(self.key(index), {self.key(index): 0})
        ask.execute()

    def sent(self, released: Sequence[Released]) -> None:
        self.messages.extend((step.step, step.seq) for step in released)

    def key(self, index: str) -> str:
        return f"{self.store.keys.index}:{index}"

    def member(self, *parts: str | int) -> str:
        return SEPARATOR.join(map(str, (ID, *parts)))


def address(name: str) -> Address:
    return Address(ID, name)


def lately(things: Sequence[Any], which: int) -> Any:
    return things[-1 - which % len(things)]


def test_every_order_of_calls_keeps_the_rules(valkey_url: str) -> None:
    Protocol.client = redis.Redis.from_url(valkey_url)
    play(Protocol, examples=100, steps=50)
