"""A step that nobody claims is sent again with growing pauses: no timing here, the pauses are in the index."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import WorkflowRun
from dramatiq_baton.store import upkeep
from dramatiq_baton.store.store import Address
from dramatiq_baton.store.upkeep import LONGEST_PAUSE, Overdue
from tests.support.rescuing import LEASE_TTL, Rescuing


class Pauses:
    """Sends a step again, and tells after how long it will be overdue once more."""

    def __init__(self, rescuing: Rescuing, run: WorkflowRun, queue: str) -> None:
        self._rescuing = rescuing
        self._run = run
        self._queue = queue
        self._redis = rescuing.redis

    def resend(self) -> range:
        """The pause that follows, in ms: known to within the time that sending takes."""
        before = self._now()
        spread = upkeep.resend(self._rescuing.store, Overdue(Address(self._run.id, "a"), self._queue))
        after = self._now()
        assert [step.step for step in spread.released] == ["a"]
        return range(self._due() - after, self._due() - before + 1)

    def _due(self) -> int:
        index = f"queued:{self._queue}" if self._queue else "waiting"
        at = self._redis.zscore(f"{self._rescuing.world.namespace}:index:{index}", f"{self._run.id}\x1fa")
        # A queued step is indexed by when it was sent, and doubted one lease later.
        return int(at) + (LEASE_TTL if self._queue else 0)

    def _now(self) -> int:
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000


@pytest.fixture(params=["queued", "snoozed", "retryable"])
def lost(request: pytest.FixtureRequest, rescuing: Rescuing) -> WorkflowRun:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    if request.param != "queued":
        rescuing.put_off(run, "a", request.param)
    return run


def _pauses(rescuing: Rescuing, run: WorkflowRun) -> Pauses:
    return Pauses(rescuing, run, "q" if str(run.status().steps["a"].state) == "queued" else "")


def test_the_first_pause_is_one_lease_and_each_is_twice_the_one_before(
    rescuing: Rescuing, lost: WorkflowRun
) -> None:
    pauses = _pauses(rescuing, lost)
    for expected in (LEASE_TTL, 2 * LEASE_TTL, 4 * LEASE_TTL, 8 * LEASE_TTL):
        assert expected in pauses.resend()


def test_no_pause_is_longer_than_the_longest(rescuing: Rescuing, lost: WorkflowRun) -> None:
    pauses = _pauses(rescuing, lost)
    for _ in range(100):
        pauses.resend()
    assert LONGEST_PAUSE in pauses.resend()
    assert rescuing.record(lost, "a")["resent"] == 101


def test_it_isnt_sent_again_before_the_pause_is_over(rescuing: Rescuing, lost: WorkflowRun) -> None:
    rescuing.pass_time()
    assert rescuing.look() == ["a"]
    assert rescuing.look() == []
    rescuing.pass_time()
    assert rescuing.look() == ["a"]


def test_the_pauses_begin_anew_when_a_step_has_run(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a"))
    for _ in range(5):
        rescuing.pass_time()
        rescuing.look()
    assert rescuing.record(run, "a")["resent"] == 5
    rescuing.put_off(run, "a", "snoozed")
    assert rescuing.record(run, "a")["resent"] == 0


def test_a_step_is_never_given_up_for_being_lost(rescuing: Rescuing, lost: WorkflowRun) -> None:
    state: Any = lost.status().steps["a"].state
    for _ in range(50):
        rescuing.pass_time()
        assert rescuing.look() == ["a"]
    assert lost.status().steps["a"].state is state
    rescuing.finish(lost)
    assert lost.result("a") == "a"
