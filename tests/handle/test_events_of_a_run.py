"""``WorkflowRun.events()``: the whole story, from any point on, and as it happens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dramatiq_baton import ConfigurationError, Event, EventType, WorkflowRun
from tests.support.by_hand import ByHand
from tests.support.line import Line
from tests.support.world import World


def start(world: World, *steps: str) -> WorkflowRun:
    flow = world.flow()
    for name in steps:
        flow.add(name, world.act())
    return world.run(flow)


def words(events: Iterator[Event]) -> list[str]:
    return [f"{event.step}:{event.event}" if event.step else str(event.event) for event in events]


STORY = ["workflow_started", "a:executing", "a:completed", "b:executing", "b:discarded", "workflow_finished"]


@pytest.fixture
def finished(own_world: World, by_hand: ByHand) -> WorkflowRun:
    run = start(own_world, "a", "b")
    by_hand.complete(run, "a")
    by_hand.discard(run, "b")
    return run


def test_without_follow_it_ends_with_the_newest(own_world: World, by_hand: ByHand) -> None:
    run = start(own_world, "a", "b")
    assert words(run.events()) == STORY[:1]
    by_hand.complete(run, "a")
    assert words(run.events()) == STORY[:3]
    by_hand.discard(run, "b")
    assert words(run.events()) == STORY


def test_an_event_tells_what_the_contract_names(finished: WorkflowRun) -> None:
    events = list(finished.events())
    assert all(event.workflow_id == finished.id and event.workflow_name == "flow" for event in events)
    assert [event.attempt for event in events] == [0, 1, 1, 1, 1, 0]
    assert [event.actor for event in events] == ["", "act", "act", "act", "act", ""]
    assert events[4].reason == "by hand"
    assert (events[-1].outcome, events[-1].failed_steps) == ("failed", ("b",))
    assert events == sorted(events, key=lambda event: event.ts)


@pytest.mark.parametrize("at", range(6))
def test_it_goes_on_behind_any_event(finished: WorkflowRun, at: int) -> None:
    events = list(finished.events())
    assert list(finished.events(since=events[at].id)) == events[at + 1 :]
    assert list(finished.events(since=events[at].id, follow=True)) == events[at + 1 :]


def test_it_goes_on_from_a_time(finished: WorkflowRun) -> None:
    events = list(finished.events())
    times = [int(event.id.partition("-")[0]) for event in events]
    for moment in set(times):
        since = datetime.fromtimestamp(moment / 1000, UTC)
        expected = [event for event, at in zip(events, times, strict=True) if at >= moment]
        assert list(finished.events(since=since)) == expected
    assert list(finished.events(since=datetime.now(UTC) + timedelta(days=1))) == []
    assert list(finished.events(since=datetime(1970, 1, 1, tzinfo=UTC))) == events


@pytest.mark.parametrize("since", ["", "now", "1-", "-1", "1-2-3", "10m", None, 0, 1.5, b"0", " 0"], ids=repr)
def test_a_beginning_that_is_none_is_refused(finished: WorkflowRun, since: Any) -> None:
    with pytest.raises(ConfigurationError, match="since must be"):
        list(finished.events(since=since))


def test_follow_gives_what_there_is_then_what_comes_and_ends_with_the_workflow(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world, "a", "b")
    following = run.events(follow=True)
    with ThreadPoolExecutor(1) as pool:
        seen = [next(following)]
        for act in (
            lambda: watched_hand.complete(run, "a"),
            lambda: watched_hand.discard(run, "b"),
        ):
            blocked = _blocking_reads(line)
            future = pool.submit(lambda: [next(following), next(following)])
            _wait_for_blocking_read(line, blocked + 1)
            act()
            seen += future.result(30)
        seen += pool.submit(list, following).result(30)  # it ends by itself
    assert words(iter(seen)) == STORY


def test_follow_of_a_finished_workflow_ends(finished: WorkflowRun) -> None:
    assert words(finished.events(follow=True)) == STORY
    assert list(finished.events(since=datetime.now(UTC) + timedelta(days=1), follow=True)) == []


def test_follow_asks_nothing_while_nothing_happens(
    line: Line, watched_world: World, watched_hand: ByHand
) -> None:
    run = start(watched_world, "a")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(list, run.events(follow=True))
        _wait_for_blocking_read(line, 1)
        asked = len(line.commands)
        watched_world.redis.set(f"{watched_world.namespace}:something", "else", ex=60)
        assert len(line.commands) == asked
        watched_hand.complete(run, "a")
        assert len(future.result(30)) == 4
        assert len(line.commands) < asked + 10


def test_more_events_than_one_read_brings_come_in_order_and_once(own_world: World, by_hand: ByHand) -> None:
    names = [f"{number}" for number in range(600)]
    run = start(own_world, *names)
    for name in names:
        by_hand.complete(run, name)
    told = [f"{name}:{event}" for name in names for event in ("executing", "completed")]
    assert words(run.events()) == ["workflow_started", *told, "workflow_finished"]
    assert words(run.events(follow=True)) == words(run.events())


def test_two_readers_do_not_disturb_one_another(finished: WorkflowRun) -> None:
    for one, two in itertools.zip_longest(finished.events(), finished.events(follow=True)):
        assert one == two
    assert next(finished.events()).event is EventType.WORKFLOW_STARTED


def _blocking_reads(line: Line) -> int:
    return sum(b"BLOCK" in command for command in line.commands)


def _wait_for_blocking_read(line: Line, times: int) -> None:
    reads = line.count("XREAD")
    while _blocking_reads(line) < times:
        line.wait_for("XREAD", times=reads + 1)
        reads = line.count("XREAD")
