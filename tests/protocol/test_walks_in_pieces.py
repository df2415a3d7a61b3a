"""Cancelling and retrying go over a workflow in portions; anything may happen between two of them.

Here a portion is a single step, and Hypothesis puts messages, answers, other operators and the rescue in between.
There is no model of that. What must hold at any time, and what must have come out of it in the end, is checked.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Sequence

import redis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from dramatiq_baton.graph import Content, Graph, StepFlags, StepSpec
from dramatiq_baton.states import StepState
from dramatiq_baton.store import submission, upkeep
from dramatiq_baton.store.replies import Released, Spread
from dramatiq_baton.store.store import Store
from tests.protocol.machine import play
from tests.protocol.model import SETTLED, acceptable
from tests.protocol.picture import Picture, picture
from tests.protocol.test_protocol import DEFERRED, ID, LATELY, OUTCOMES, address, graphs, lately

#: Steps that have completed, so that the server can't show all at once: a bucket of its hashes has up to 7 entries.
DONE = tuple(f"x{number}" for number in range(30))

numbers = itertools.count()


class Walks(RuleBasedStateMachine):
    """One workflow, and whatever anybody does to it."""

    client: redis.Redis

    @initialize(specs=graphs(), dispatch=st.sampled_from(["ready", "eager"]))
    def submit(self, specs: list[StepSpec], dispatch: str) -> None:
        self.store = Store(self.client, namespace=f"walks-{next(numbers)}", lease_ttl=600_000)
        first = len(specs)
        specs = specs + [
            StepSpec(*(name, "act", "q1", StepFlags.NONE, (), first + n, f"x{n}", Content((), {}, {})))
            for n, name in enumerate(DONE)
        ]
        self.specs = {spec.name: spec for spec in specs}
        self.messages: list[tuple[str, int]] = []
        self.leases: list[tuple[str, int]] = []
        self.callbacks: list[tuple[str, int]] = []
        self.first_results: dict[str, bytes] = {}
        graph = Graph.of(specs, workflow="flow")
        self.sent(submission.submit(self.store, ID, "flow", graph, dispatch=dispatch, retention=600_000))
        if dispatch == "eager":
            self.messages = [(name, 0) for name in self.specs]
        for name in DONE:
            self.messages.append((name, 0))
            self.claim(0)
            self.settle(0, "completed")
        self.messages = [(name, seq) for name, seq in self.messages if name not in DONE]
        self.leases.clear()

    @precondition(lambda self: self.messages)
    @rule(which=LATELY)
    def claim(self, which: int) -> None:
        name, seq = lately(self.messages, which)
        claim = self.store.claim(
            address(name),
            holder=f"h{next(numbers)}",
            seq=seq,
            delay=5,
            max_rescues=3,
            worker="w",
            wanted=self.specs[name].deps,
        )
        self.sent(claim.spread)
        match claim.word:
            case "run":
                self.leases.append((name, claim.token))
                states = dict.fromkeys(self.specs, "pending") | self.now().states
                assert acceptable(self.specs[name], states)  # G1
                got = [stored.data for stored in claim.results]
                assert got == [self.first_results.get(dep) for dep in self.specs[name].deps]
            case "callback":
                self.callbacks.append((name, claim.token))
            case "snoozed":
                self.messages.append((name, claim.seq))
            case "cached":
                assert claim.cached == self.first_results[name]

    @precondition(lambda self: self.leases)
    @rule(which=LATELY, outcome=OUTCOMES)
    def settle(self, which: int, outcome: str) -> None:
        name, token = lately(self.leases, which)
        result = b"%d" % next(numbers) if outcome == "completed" else b""
        spread = self.store.settle(address(name), token, StepState(outcome), worker="w", result=result)
        if result and spread.word == "ok":
            assert name not in self.first_results  # G2
            self.first_results[name] = result
        self.sent(spread)

    @precondition(lambda self: self.leases)
    @rule(which=LATELY, state=DEFERRED)
    def defer(self, which: int, state: str) -> None:
        name, token = lately(self.leases, which)
        seq = self.store.defer(address(name), token, StepState(state), delay=5, retries=1, worker="w")
        if seq is not None:
            self.messages.append((name, seq))

    @precondition(lambda self: self.callbacks)
    @rule(which=LATELY)
    def callback_done(self, which: int) -> None:
        name, token = lately(self.callbacks, which)
        self.store.callback_done(address(name), token)

    @rule()
    def begin_to_cancel(self) -> None:
        self.store.run("cancel", ID, "by an operator", 0)

    @rule()
    def begin_to_retry(self) -> None:
        self.store.run("retry", ID, "")

    @rule()
    def go_on(self) -> None:
        self.sent(self.store.spread(ID))

    @rule()
    def look(self) -> None:
        """One look of the rescue, a while after."""
        index = self.store.keys.index
        for key in self.client.keys(f"{index}:*"):
            if (
                self.client.type(key) == b"zset"
                and b":workflows:" not in key
                and not key.endswith(b":expiring")
            ):
                self.client.zunionstore(key, {key: 0})
        self.client.delete(f"{index}:progress")
        due = upkeep.sweep(self.store, who="me", alone_for=1000, most=100)
        assert due is not None
        for lease in due.leases:
            self.sent(upkeep.expire(self.store, lease, max_rescues=3))
        for overdue in due.overdue:
            self.sent(upkeep.resend(self.store, overdue))
        for workflow_id in due.spreading:
            self.sent(self.store.spread(workflow_id))

    def teardown(self) -> None:
        """All messages and workers are gone. The rescue alone brings the workflow to its end."""
        if sys.exc_info()[0] is not None:  # a rule has failed; nothing shall hide that
            return
        for _ in range(60):
            if self.finished():
                break
            self.messages.clear()
            self.look()
            for message in list(self.messages):
                self.messages.append(message)
                running, calling_back = len(self.leases), len(self.callbacks)
                self.claim(0)
                if len(self.leases) > running:
                    self.settle(0, "completed")
                elif len(self.callbacks) > calling_back:
                    self.callback_done(0)
        assert self.finished()
        self.nothing_contradicts_itself()
        self.each_run_tells_one_story()
        self.client.delete(*self.client.keys(f"{self.store.keys.namespace}:*"))
        self.store.connections.close()

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        now = self.now()
        states = {name: now.states.get(name, StepState.PENDING) for name in self.specs}
        assert now.counts == Counter(states.values())
        assert now.results == self.first_results
        assert {name for name, state in states.items() if state == "completed"} == set(self.first_results)
        if self.finished():
            assert all(state in SETTLED for state in states.values())
            assert now.open == 0
            assert not now.leases
            assert not now.waiting
            assert not any(now.queued.values())
            assert not self.client.exists(f"{self.store.keys.index}:spreading")

    def each_run_tells_one_story(self) -> None:
        now = self.now()
        settled: dict[str, str] = {}
        running = False
        for name, event in now.events:
            match name, event:
                case "", "workflow_started":
                    assert not running
                    running = True
                    settled = {step: how for step, how in settled.items() if how == "completed"}
                case "", "workflow_finished":
                    assert running  # G6
                    running = False
                    assert set(settled) == set(self.specs)
                case _, "cached":
                    assert settled[name] == "completed"
                case _:
                    assert running
                    assert name not in settled, (name, event)
                    if event in SETTLED:
                        settled[name] = event
        assert not running
        assert settled == now.states

    def finished(self) -> bool:
        return self.client.hget(self.store.keys.workflow(ID), "state") != b"executing"

    def now(self) -> Picture:
        return picture(self.client, self.store.keys, ID)

    def sent(self, spread: Spread) -> None:
        released: Sequence[Released] = spread.released
        self.messages.extend((step.step, step.seq) for step in released)


def test_whatever_comes_between_two_portions_the_workflow_stays_consistent(step_by_step: redis.Redis) -> None:
    Walks.client = step_by_step
    play(Walks, examples=60, steps=40)
