"""A backlog isn't taken for lost messages as long as it moves."""

from __future__ import annotations

import time
from typing import Any

from dramatiq_baton import Workflow
from tests.support.rescuing import Rescuing


def _age(rescuing: Rescuing, *workflows: Any) -> None:
    """Let the steps of these workflows have been queued one workflow after the other, long ago."""
    index = f"{rescuing.world.namespace}:index:queued:q"
    now = int(time.time() * 1000)
    for number, run in enumerate(workflows):
        for step in run.status().steps:
            rescuing.redis.zadd(index, {f"{run.id}\x1f{step}": now - 3_600_000 + number}, xx=True)


def test_what_was_queued_behind_the_step_claimed_last_is_left_alone(rescuing: Rescuing) -> None:
    first, second, third = (rescuing.lab.run(rescuing.flow("a", "b")) for _ in range(3))
    _age(rescuing, first, second, third)
    rescuing.hand.claim(first, "a")  # just now
    assert rescuing.look() == []
    rescuing.hand.claim(first, "b")
    rescuing.hand.claim(second, "a")
    assert rescuing.look() == []


def test_what_was_overtaken_by_a_step_queued_later_is_sent_again(rescuing: Rescuing) -> None:
    first, second, third = (rescuing.lab.run(rescuing.flow("a")) for _ in range(3))
    _age(rescuing, first, second, third)
    rescuing.hand.claim(second, "a")
    before = len(rescuing.lab.sent.messages)
    rescuing.look()
    sent = [message.options["baton"]["workflow"] for message in rescuing.lab.sent.messages[before:]]
    assert sent == [first.id]


def test_steps_queued_in_the_same_moment_as_the_one_claimed_last_are_left_alone(rescuing: Rescuing) -> None:
    run = rescuing.lab.run(rescuing.flow("a", "b", "c"))
    _age(rescuing, run)
    rescuing.hand.claim(run, "b")
    assert rescuing.look() == []


def test_a_backlog_that_stands_still_is_sent_again(rescuing: Rescuing) -> None:
    run = rescuing.lab.run(rescuing.flow("a", "b", "c"))
    rescuing.hand.claim(run, "a")
    rescuing.pass_time()  # since that claim, too
    assert sorted(rescuing.look()) == ["a", "b", "c"]  # a, because its lease ran out


def test_the_progress_of_one_queue_says_nothing_of_another(rescuing: Rescuing) -> None:
    lab = rescuing.lab

    @lab.actor(queue_name="another")
    def elsewhere() -> None: ...

    flow = Workflow("flow")
    flow.add("b", elsewhere.message())
    stuck = lab.run(flow)
    first, second = (lab.run(rescuing.flow("a")) for _ in range(2))
    rescuing.pass_time()
    _age(rescuing, first, second)
    rescuing.hand.claim(first, "a")
    assert rescuing.look() == ["b"]
    assert str(stuck.status().steps["b"].state) == "queued"


def test_a_backlog_that_takes_a_worker_longer_than_a_lease_is_sent_once(make_rescuing: Any) -> None:
    rescuing = make_rescuing(lease_ttl=1500, rescue_interval=100)
    lab = rescuing.lab

    @lab.actor(queue_name="q")
    def busy() -> None:
        time.sleep(0.1)

    flow = Workflow("flow")
    for i in range(30):
        flow.add(f"s{i}", busy.message())
    run = lab.run(flow)
    with lab.working(threads=1):
        run.wait(timeout=30_000)
    status = run.status()
    assert status.finished_at is not None
    assert status.finished_at - status.created_at > 1500
    assert len(lab.sent.messages) == 30
