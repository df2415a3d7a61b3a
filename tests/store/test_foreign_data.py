"""Data under Baton's keys that Baton didn't write: an error that names it, and nothing else goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest

from dramatiq_baton import BatonError, CorruptData, WorkflowRun, get_run
from tests.support.by_hand import ByHand, send_message
from tests.support.world import World

PARTS = ["", ":steps", ":edges", ":state", ":results", ":once", ":usage", ":events", ":ends", ":spreads"]
INDEXES = [
    *("index:leases", "index:waiting", "index:queues", "index:progress", "index:spreading"),
    "workflow:all:events",
]


def put_string(world: World, key: str) -> None:
    world.redis.set(key, "somebody else's", ex=600)


def put_list(world: World, key: str) -> None:
    world.redis.rpush(key, "somebody else's")
    world.redis.expire(key, 600)


def put_hash(world: World, key: str) -> None:
    world.redis.hset(key, "somebody", "else's")
    world.redis.expire(key, 600)


FOREIGN = pytest.mark.parametrize("put", [put_string, put_list, put_hash])


@pytest.fixture
def nothing_of_it_stays(own_world: World) -> Iterator[World]:
    """Deletes what a test put under Baton's keys."""
    yield own_world
    for key in own_world.keys("*"):
        own_world.redis.delete(key)


# Submitting -------------------------------------------------------------------------------------


def assert_refused(world: World, key: str, steps: int) -> None:
    flow = world.flow(id="mine")
    for number in range(steps):
        flow.add(f"{number}", world.act())
    before = world.dump("mine"), world.keys("*")
    with pytest.raises(CorruptData) as caught:
        world.run(flow)
    assert key in str(caught.value) or key_in_braces(world) in str(caught.value)
    assert "what Baton didn't write" in str(caught.value)
    assert "\n" not in str(caught.value)
    staged = set(world.keys("*staged*"))  # only where the script that removes it could not run at all
    assert all(world.redis.ttl(each) > 0 for each in staged)
    dump = {each: data for each, data in world.dump("mine").items() if each not in staged}
    assert (dump, [each for each in world.keys("*") if each not in staged]) == before


def key_in_braces(world: World) -> str:
    return f"'{world.namespace}:workflow:{{mine}}'"


@FOREIGN
@pytest.mark.parametrize("part", PARTS)
def test_a_workflow_is_not_started_where_other_data_lies(
    nothing_of_it_stays: World, part: str, put: Callable[[World, str], None]
) -> None:
    key = f"{nothing_of_it_stays.namespace}:workflow:{{mine}}{part}"
    put(nothing_of_it_stays, key)
    assert_refused(nothing_of_it_stays, key, steps=2)


@pytest.mark.parametrize("steps", [2, 250])
@pytest.mark.parametrize("index", INDEXES)
def test_a_workflow_is_not_started_half_where_an_index_is_something_else(
    nothing_of_it_stays: World, index: str, steps: int
) -> None:
    key = f"{nothing_of_it_stays.namespace}:{index}"
    put_string(nothing_of_it_stays, key)
    assert_refused(nothing_of_it_stays, key, steps)


# Reading ----------------------------------------------------------------------------------------


@pytest.fixture
def run(nothing_of_it_stays: World, by_hand: ByHand) -> WorkflowRun:
    flow = nothing_of_it_stays.flow()
    flow.add("a", nothing_of_it_stays.act())
    flow.add("b", nothing_of_it_stays.act(), deps="a")
    run = nothing_of_it_stays.run(flow)
    by_hand.complete(run, "a", 1)
    return run


def key_of(world: World, run: WorkflowRun, part: str) -> str:
    return f"{world.namespace}:workflow:{{{run.id}}}{part}"


READERS: list[tuple[str, str, Callable[[WorkflowRun], Any]]] = [
    ("", "status", lambda run: run.status()),
    ("", "result", lambda run: run.result("b")),
    ("", "results", lambda run: run.results()),
    ("", "events", lambda run: list(run.events())),
    ("", "wait", lambda run: run.wait(timeout=0)),
    ("", "get_run", lambda run: get_run(run.id, run._runtime.broker)),
    (":steps", "status", lambda run: run.status()),
    (":state", "status", lambda run: run.status()),
    (":state", "result", lambda run: run.result("b")),
    (":results", "result", lambda run: run.result("a")),
    (":results", "results", lambda run: run.results()),
    (":events", "events", lambda run: list(run.events())),
    (":ends", "wait", lambda run: run.wait(timeout=0)),
]
READING = pytest.mark.parametrize(
    ("part", "read"),
    [(part, read) for part, _, read in READERS],
    ids=[f"{name} {part}" for part, name, _ in READERS],
)


@READING
def test_reading_a_key_of_another_type_names_it(
    nothing_of_it_stays: World, run: WorkflowRun, part: str, read: Callable[[WorkflowRun], Any]
) -> None:
    key = key_of(nothing_of_it_stays, run, part)
    nothing_of_it_stays.redis.delete(key)
    put_string(nothing_of_it_stays, key)
    with pytest.raises(CorruptData) as caught:
        read(run)
    assert key_of(nothing_of_it_stays, run, "") in str(caught.value)
    assert "\n" not in str(caught.value)


GARBAGE = [b"", b"x", b"\xc1", b"\x93\x01", msgpack.packb({"a": 1}), msgpack.packb([None] * 20), b"\xff" * 40]


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("part", [":steps", ":state"])
def test_a_step_that_cannot_be_read_is_named(
    nothing_of_it_stays: World, run: WorkflowRun, part: str, garbage: bytes
) -> None:
    nothing_of_it_stays.redis.hset(key_of(nothing_of_it_stays, run, part), "b", garbage)
    with pytest.raises(CorruptData, match="step 'b' can't be read"):
        run.status()


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("part", [":steps", ":state"])
def test_a_script_that_cannot_read_a_step_names_its_workflow(
    nothing_of_it_stays: World, run: WorkflowRun, by_hand: ByHand, part: str, garbage: bytes
) -> None:
    nothing_of_it_stays.redis.hset(key_of(nothing_of_it_stays, run, part), "b", garbage)
    before = nothing_of_it_stays.dump(run.id)
    with pytest.raises(BatonError, match=re.escape(key_of(nothing_of_it_stays, run, ""))):
        by_hand.claim(run, "b")
    assert nothing_of_it_stays.dump(run.id) == before


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"\x93\x01", b"\xff" * 40], ids=repr)
def test_a_result_that_cannot_be_read_is_an_error(
    nothing_of_it_stays: World, run: WorkflowRun, garbage: bytes
) -> None:
    nothing_of_it_stays.redis.hset(key_of(nothing_of_it_stays, run, ":results"), "a", garbage)
    for read in (lambda: run.result("a"), lambda: run.results()):
        with pytest.raises(CorruptData, match=f"the result of step 'a' of workflow {run.id!r} can't be read"):
            read()


@pytest.mark.parametrize("field", ["name", "state", "total", "created"])
@pytest.mark.parametrize("value", [None, "nonsense"])
def test_a_workflow_whose_own_fields_are_not_baton_s_is_an_error(
    nothing_of_it_stays: World, run: WorkflowRun, field: str, value: str | None
) -> None:
    key = key_of(nothing_of_it_stays, run, "")
    if value is None:
        nothing_of_it_stays.redis.hdel(key, field)
    elif field != "name":
        nothing_of_it_stays.redis.hset(key, field, value)
    else:
        return
    with pytest.raises(CorruptData):
        run.status()
    if field in ("name", "state"):
        with pytest.raises(CorruptData):
            get_run(run.id, nothing_of_it_stays.broker)


def test_a_foreign_hash_is_no_workflow(nothing_of_it_stays: World) -> None:
    put_hash(nothing_of_it_stays, f"{nothing_of_it_stays.namespace}:workflow:{{mine}}")
    with pytest.raises(BatonError):
        get_run("mine", nothing_of_it_stays.broker)


@pytest.mark.parametrize(
    "fields", [{"x": "y"}, {"event": "sneezed", "ts": "1"}, {"event": "completed", "ts": "now"}], ids=repr
)
def test_a_foreign_entry_in_a_stream_is_an_error_that_names_it(
    nothing_of_it_stays: World, run: WorkflowRun, fields: dict[str, str]
) -> None:
    entry = nothing_of_it_stays.redis.xadd(key_of(nothing_of_it_stays, run, ":events"), fields)
    with pytest.raises(CorruptData, match=f"stream entry {entry} isn't a Baton event"):
        list(run.events())


# In a worker ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["", ":steps", ":state"])
def test_a_worker_says_so_and_goes_on_with_other_workflows(
    nothing_of_it_stays: World, run: WorkflowRun, part: str
) -> None:
    world = nothing_of_it_stays
    send_message(world, run, "b")
    key = key_of(world, run, part)
    world.redis.delete(key)
    put_string(world, key)
    other = world.flow()
    other.add("x", world.act(["value", 1]))
    other_run = world.run(other)
    with world.worker_running() as worker:
        assert other_run.wait(timeout=30_000).state == "completed"
        log = worker.wait_log("dropped a message that can't be worked on")
    assert f"workflow='{run.id}'" in log
    assert "Traceback" not in log
    assert world.redis.get(key) == "somebody else's"
