"""Of all worker processes one looks in each interval, and no crash of it keeps the others from looking."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from dramatiq_baton.store import upkeep
from tests.support.monitor import Monitor, Seen, monitoring
from tests.support.own import MakeLab
from tests.support.rescuing import Rescuing

INTERVAL = 200


def _answered(seen: Seen) -> bool:
    """Whether a command is the beginning of an answer: who isn't answered stops before it."""
    return seen.client == "lua" and seen.words[0].upper() == "SMEMBERS" and seen.has(":index:queues")


def _looks(monitor: Monitor, count: int) -> tuple[list[Seen], list[Seen]]:
    """So many looks that were answered, and all that were asked for meanwhile."""
    seen = monitor.until(_answered, times=count)
    return [one for one in seen if _answered(one)], [one for one in seen if one.runs("sweep")]


def test_one_of_several_processes_looks_in_each_interval(make_lab: MakeLab) -> None:
    labs = [make_lab(rescue_interval=INTERVAL) for _ in range(3)]
    with ExitStack() as stack:
        monitor = stack.enter_context(monitoring(labs[0].world.url, labs[0].world.namespace))
        for lab in labs:
            stack.enter_context(lab.working(threads=1))
        _looks(monitor, 3)
        answered, asked = _looks(monitor, 10)
    assert len({one.words[4] for one in asked}) == 3  # by name: all three asked,
    assert len(asked) > len(answered)  # and some of them in vain
    pauses = [(later.at - earlier.at) * 1000 for earlier, later in pairwise(answered)]
    assert min(pauses) >= INTERVAL * 0.9 - 1  # by the server's clock, to the millisecond


def test_who_is_second_gets_no_answer(rescuing: Rescuing) -> None:
    rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.pass_time()
    assert upkeep.sweep(rescuing.store, who="first", alone_for=60_000, most=100) is not None
    assert upkeep.sweep(rescuing.store, who="second", alone_for=60_000, most=100) is None
    assert rescuing.look() == []


def test_who_was_first_may_go_on(rescuing: Rescuing) -> None:
    rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.pass_time()
    for _ in range(2):
        due = upkeep.sweep(rescuing.store, who="first", alone_for=60_000, most=100)
        assert due is not None
        assert [overdue.address.step for overdue in due.overdue] == ["a"]


def test_the_right_to_look_expires_by_itself(rescuing: Rescuing) -> None:
    upkeep.sweep(rescuing.store, who="dead", alone_for=1000, most=100)
    assert 0 < rescuing.redis.pttl(f"{rescuing.world.namespace}:index:rescue") <= 1000


def test_a_process_that_died_while_it_looked_is_followed_by_another(make_rescuing: Any) -> None:
    rescuing = make_rescuing(rescue_interval=INTERVAL)
    run = rescuing.run_and_lose(rescuing.flow("a"))
    rescuing.pass_time()
    upkeep.sweep(rescuing.store, who="dead", alone_for=1000, most=100)
    rescuing.finish(run)
    assert run.result("a") == "a"


def test_two_that_look_at_the_same_time_do_no_harm(rescuing: Rescuing) -> None:
    run = rescuing.run_and_lose(rescuing.flow("a", "b"))
    rescuing.hand.claim(run, "a")
    rescuing.pass_time()
    due = upkeep.sweep(rescuing.store, who="paused in the middle", alone_for=1, most=100)
    assert due is not None
    rescuing.redis.delete(f"{rescuing.world.namespace}:index:rescue")
    assert sorted(rescuing.look()) == ["a", "b"]
    for lease in due.leases:
        assert upkeep.expire(rescuing.store, lease, max_rescues=2).word == "stale"
    for overdue in due.overdue:
        upkeep.resend(rescuing.store, overdue)
    assert rescuing.record(run, "a")["deaths"] == 1  # it died once
    rescuing.finish(run)
    assert sorted(rescuing.lab.notes) == ["ran", "ran"]
