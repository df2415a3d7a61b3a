"""Reading a stream: what there is, from any point on, and what comes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dramatiq_baton import ConfigurationError, Event, WorkflowRun
from dramatiq_baton.store.streams import PORTION, EventReader
from tests.support.by_hand import ByHand
from tests.support.line import Line
from tests.support.world import World


def start(world: World, *steps: str) -> WorkflowRun:
    flow = world.flow()
    for name in steps:
        flow.add(name, world.act())
    return world.run(flow)


@pytest.fixture
def two(own_world: World, by_hand: ByHand) -> tuple[WorkflowRun, WorkflowRun]:
    """Two workflows whose events alternate."""
    one, two = start(own_world, "a", "b"), start(own_world, "a", "b")
    for step in "ab":
        for run in (one, two):
            by_hand.complete(run, step)
    return one, two


def test_all_tells_of_every_workflow_and_one_of_its_own(
    by_hand: ByHand, two: tuple[WorkflowRun, WorkflowRun]
) -> None:
    everything = list(EventReader(by_hand.store).read())
    assert len(everything) == 12
    for run in two:
        own = list(EventReader(by_hand.store, run.id).read())
        assert len(own) == 6
        of_all = [event for event in everything if event.workflow_id == run.id]
        assert [_without_id(event) for event in of_all] == [_without_id(event) for event in own]


def test_it_goes_on_behind_an_id(by_hand: ByHand, two: tuple[WorkflowRun, WorkflowRun]) -> None:
    reader = EventReader(by_hand.store)
    everything = list(reader.read("0"))
    for at, event in enumerate(everything):
        assert list(reader.read(event.id)) == everything[at + 1 :]
    assert reader.last_id() == everything[-1].id
    assert list(reader.read(reader.last_id())) == []


def test_it_begins_at_a_time_in_any_zone(by_hand: ByHand, two: tuple[WorkflowRun, WorkflowRun]) -> None:
    reader = EventReader(by_hand.store)
    everything = list(reader.read())
    for event in everything:
        moment = int(event.id.partition("-")[0])
        expected = [each for each in everything if int(each.id.partition("-")[0]) >= moment]
        for zone in (UTC, timezone(timedelta(hours=-7)), None):  # None: the local one
            assert list(reader.read(datetime.fromtimestamp(moment / 1000, zone))) == expected


def test_of_a_stream_that_there_is_not_it_reads_nothing(by_hand: ByHand) -> None:
    reader = EventReader(by_hand.store, "unknown")
    assert list(reader.read()) == []
    assert reader.last_id() == "0"
    assert not reader.wait("0", seconds=0.01)


@pytest.mark.parametrize("since", ["", "x", "-", "1-2-3", "$", "+", ">", None, 0, 1.0, b"0"], ids=repr)
def test_a_beginning_that_is_none_is_refused(by_hand: ByHand, since: Any) -> None:
    for read in (EventReader(by_hand.store).read, EventReader(by_hand.store).follow):
        with pytest.raises(ConfigurationError, match="since must be a datetime, an event's id"):
            next(iter(read(since)))


def test_more_than_one_portion_comes_whole_and_in_order(own_world: World, by_hand: ByHand) -> None:
    names = [f"{number}" for number in range(PORTION)]
    run = start(own_world, *names)
    for name in names:
        by_hand.complete(run, name)
    events = list(EventReader(by_hand.store).read())
    assert len(events) == 2 * PORTION + 2
    assert [event.step for event in events[1:-1:2]] == names
    following = EventReader(by_hand.store).follow()
    assert [next(following) for _ in events] == events


def test_following_tells_what_there_is_then_what_comes(own_world: World, by_hand: ByHand) -> None:
    first = start(own_world, "a")
    following = EventReader(by_hand.store).follow()
    assert next(following).event == "workflow_started"
    with ThreadPoolExecutor(1) as pool:
        for change in (
            lambda: by_hand.claim(first, "a"),
            lambda: start(own_world, "a", "b"),
        ):
            future = pool.submit(next, following)
            change()
            assert future.result(30).event in ("executing", "workflow_started")


def test_following_from_an_id_leaves_out_what_was_before(own_world: World, by_hand: ByHand) -> None:
    run = start(own_world, "a")
    reader = EventReader(by_hand.store)
    following: Iterator[Event] = reader.follow(reader.last_id())
    by_hand.complete(run, "a")
    assert [next(following).event for _ in range(3)] == ["executing", "completed", "workflow_finished"]


def test_following_blocks_instead_of_asking_again_and_again(valkey_url: str) -> None:
    world = World(valkey_url)
    with Line(valkey_url) as line:
        watched, hand = ByHand(world, url=line.url), ByHand(world)
        run = start(world, "a")
        following = EventReader(watched.store).follow()
        next(following)
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(next, following)
            line.wait_for("XREAD", times=3)  # what there is, that there is no more, and then it waits
            asked = len(line.commands)
            assert line.commands[-1].count(b"BLOCK") == 1
            world.redis.set(f"{world.namespace}:something", "else", ex=60)
            assert len(line.commands) == asked
            hand.claim(run, "a")
            assert future.result(30).event == "executing"
        for each in (watched, hand):
            each.close()
    world.close()


def _without_id(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.as_dict().items() if name != "id"}
