"""Contract 4: the streams as other programs read them: raw entries in Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import WorkflowRun
from tests.support.by_hand import ByHand, send_message, wait_for_event
from tests.support.world import World

Fields = dict[str, str]

REQUIRED = {"event", "workflow_id", "workflow_name", "step", "actor", "queue", "attempt", "ts"}
OPTIONAL = {
    *("cost", "calls", "input_tokens", "output_tokens", "unpriced"),
    *("reason", "error", "cached", "delay", "duration", "outcome", "failed_steps", "worker"),
}
NUMBERS = {"attempt", "ts", "delay", "duration"}
STEP_EVENTS = {"executing", "snoozed", "completed", "retryable", "discarded", "cancelled"}
WORKFLOW_EVENTS = {"workflow_started", "workflow_finished"}


def raw(world: World, key: str) -> list[Fields]:
    """A stream's entries as bytes, read as strict UTF-8."""
    client = redis.Redis.from_url(world.url)
    try:
        entries = client.xrange(f"{world.namespace}:{key}")
    finally:
        client.close()
    return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]


def own_stream(world: World, run: WorkflowRun) -> list[Fields]:
    return raw(world, f"workflow:{{{run.id}}}:events")


def of_step(entries: list[Fields], step: str, event: str) -> Fields:
    found = [entry for entry in entries if (entry["step"], entry["event"]) == (step, event)]
    assert found, f"{step} was never {event}"
    return found[0]


@pytest.fixture(scope="module", params=["valkey-ready", "valkey-eager", "redis-ready", "redis-eager"])
def story(request: pytest.FixtureRequest) -> Iterator[tuple[World, WorkflowRun]]:
    """A workflow in which everything happens, in a namespace of its own."""
    kind, dispatch = request.param.split("-")
    shared: World = request.getfixturevalue(f"{kind}_world")
    world = World(shared.url)
    flow = world.flow("the \N{PARTY POPPER} story")
    flow.add("plain", world.act(["value", 1]))
    flow.add("retried", world.act(["fail", "bo\nom \N{PARTY POPPER}"], ["value", 1]))
    flow.add("asleep", world.act(["snooze", 7], ["value", 1]))
    flow.add("busy", world.act(["rate limit"], ["value", 1]))
    flow.add("discarded", world.act(["discard", "no such page"]))
    flow.add("exhausted", world.act(["fail", "x" * 5000]))
    flow.add("cancelled", world.act(["cancel", "not needed"]))
    flow.add("downstream", world.act(), deps="discarded")
    flow.add("unstorable", world.act(["unstorable"]))
    flow.add("held", world.act(["wait for", "story"]))
    world.worker  # noqa: B018 - starts it
    run = world.run(flow, dispatch=dispatch)
    wait_for_event(run, "plain", "completed")
    send_message(world, run, "plain")  # once more: its result is there already
    next(event for event in run.events(follow=True) if event.cached)
    world.actors.let_go("story")
    run.wait(timeout=60_000)
    yield world, run
    world.close()


def test_every_entry_has_the_fields_of_the_contract_and_no_others(story: tuple[World, WorkflowRun]) -> None:
    for entry in own_stream(*story):
        assert entry.keys() >= REQUIRED
        assert entry.keys() <= REQUIRED | OPTIONAL


def test_every_field_is_plain_text_and_numbers_are_whole(story: tuple[World, WorkflowRun]) -> None:
    for entry in own_stream(*story):
        for name, value in entry.items():
            assert name not in NUMBERS or value.isdecimal(), (name, value)
            assert name not in OPTIONAL or value != "", f"{name} should not be there"
            assert len(value) < 1000


def test_steps_tell_of_themselves_and_the_workflow_leaves_that_empty(
    story: tuple[World, WorkflowRun],
) -> None:
    world, run = story
    for entry in own_stream(world, run):
        assert entry["workflow_id"] == run.id
        assert entry["workflow_name"] == "the \N{PARTY POPPER} story"
        place = (entry["actor"], entry["queue"])
        if entry["event"] in WORKFLOW_EVENTS:
            assert (entry["step"], *place, entry["attempt"]) == ("", "", "", "0")
        else:
            assert entry["event"] in STEP_EVENTS
            assert entry["step"] in run.status().steps
            assert place == ("act", world.actors.QUEUE)


def test_what_applies_to_an_event_is_told(story: tuple[World, WorkflowRun]) -> None:
    entries = own_stream(*story)

    def more(step: str, event: str) -> set[str]:
        return set(of_step(entries, step, event)) - REQUIRED

    assert more("plain", "executing") == {"worker"}
    assert more("plain", "completed") == {"worker", "duration"}
    assert more("retried", "retryable") == {"worker", "duration", "delay", "error"}
    assert more("asleep", "snoozed") == {"worker", "duration", "delay"}
    assert more("busy", "snoozed") == {"worker", "duration", "delay", "reason"}
    assert more("discarded", "discarded") == {"worker", "duration", "reason"}
    assert more("exhausted", "discarded") == {"worker", "duration", "reason", "error"}
    assert more("cancelled", "cancelled") == {"worker", "duration", "reason"}
    assert more("downstream", "cancelled") == {"reason"}
    assert more("", "workflow_started") == set()
    assert more("", "workflow_finished") == {"outcome", "duration", "failed_steps"}


def test_what_they_tell_is_true(story: tuple[World, WorkflowRun]) -> None:
    world, run = story
    entries = own_stream(world, run)
    assert of_step(entries, "retried", "retryable")["error"] == "ValueError: bo om \N{PARTY POPPER}"
    assert of_step(entries, "asleep", "snoozed")["delay"] == "7"
    assert of_step(entries, "busy", "snoozed")["reason"] == "rate limit exceeded: too fast"
    assert of_step(entries, "discarded", "discarded")["reason"] == "no such page"
    assert of_step(entries, "cancelled", "cancelled")["reason"] == "not needed"
    downstream = of_step(entries, "downstream", "cancelled")
    assert (downstream["reason"], downstream["attempt"]) == (
        "dep 'discarded' was discarded: no such page",
        "0",
    )
    assert of_step(entries, "unstorable", "discarded")["error"].startswith("ResultNotSerializable: ")
    finished = of_step(entries, "", "workflow_finished")
    assert finished["outcome"] == "failed"
    for name in ("discarded", "exhausted", "unstorable"):
        assert f'"{name}"' in finished["failed_steps"]
    worker = of_step(entries, "plain", "executing")["worker"]
    assert worker == of_step(entries, "plain", "completed")["worker"]
    assert worker.split(":")[1].isdecimal()


def test_a_stored_result_that_is_used_again_is_told_as_cached(story: tuple[World, WorkflowRun]) -> None:
    completed = [
        entry for entry in own_stream(*story) if (entry["step"], entry["event"]) == ("plain", "completed")
    ]
    assert [entry.get("cached") for entry in completed] == [None, "1"]


def test_attempts_are_counted_from_1(story: tuple[World, WorkflowRun]) -> None:
    told = [(e["event"], e["attempt"]) for e in own_stream(*story) if e["step"] == "retried"]
    assert [each for each in told if each[0] != "snoozed"] == [
        ("executing", "1"), ("retryable", "1"), ("executing", "2"), ("completed", "2"),
    ]  # fmt: skip


def test_both_streams_have_the_same_entries_in_the_same_order(story: tuple[World, WorkflowRun]) -> None:
    world, run = story
    everything = raw(world, "workflow:all:events")
    assert [entry for entry in everything if entry["workflow_id"] == run.id] == own_stream(world, run)


def test_entries_are_in_the_order_of_their_times(story: tuple[World, WorkflowRun]) -> None:
    times = [int(entry["ts"]) for entry in own_stream(*story)]
    assert times == sorted(times)


@pytest.mark.parametrize("cap", [1, 100, 350])
@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_the_stream_of_all_workflows_is_capped_and_a_workflows_own_is_not(
    request: pytest.FixtureRequest, kind: str, cap: int
) -> None:
    shared: World = request.getfixturevalue(f"{kind}_world")
    world = World(shared.url)
    hand = ByHand(world, events_maxlen=cap)
    flow = world.flow()
    for number in range(400):
        flow.add(f"{number}", world.act())
    run = world.run(flow)
    for number in range(400):
        hand.complete(run, f"{number}")
    # The cap is approximate: a stream is cut node by node.
    node = int(world.redis.config_get("stream-node-max-entries")["stream-node-max-entries"])
    entries = raw(world, "workflow:all:events")
    assert cap <= len(entries) <= cap + node
    own = own_stream(world, run)
    assert len(own) == 802
    assert own[-len(entries) :] == entries
    hand.close()
    world.close()
