"""Contract 3, point 3: messages that can't be for anything are dropped, with one line in the log."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import Message

from dramatiq_baton import Cancel, Discard, Snooze, StepState, Workflow, WorkflowRun
from tests.support.lab import Lab, Log


@pytest.fixture
def work(lab: Lab) -> Any:
    @lab.actor
    def work(answer: str = "value") -> Any:
        lab.note("ran")
        return {"value": 1, "discard": Discard("no such page"), "cancel": Cancel("nothing to do")}[answer]

    return work


def _finished(lab: Lab, work: Any, answer: str = "value") -> WorkflowRun:
    """Run a workflow of one step ``a`` to its end."""
    flow = Workflow("flow")
    flow.add("a", work.message(answer))
    run = lab.run(flow)
    run.wait(timeout=30_000)
    return run


def _altered(message: Message[Any], **baton: Any) -> Message[Any]:
    return message.copy(options={"baton": {**message.options["baton"], **baton}})


def _deliver(lab: Lab, log: Log, message: Message[Any], line: str) -> None:
    """Send a message, and wait until the log says in one line that it was dropped."""
    before = len(lab.notes)
    lab.broker.enqueue(message)
    log.wait(line)
    assert len(log.lines("dropped")) == 1
    assert len(lab.notes) == before


def _assert_worker_goes_on(lab: Lab, work: Any, log: Log) -> None:
    assert _finished(lab, work).results() == {"a": 1}
    assert log.lines("Traceback") == log.lines("Failed to process") == log.lines("Unexpected failure") == []


@pytest.mark.parametrize(("answer", "state"), [("discard", "discarded"), ("cancel", "cancelled")])
def test_a_message_of_a_settled_step_is_dropped(
    lab: Lab, work: Any, log: Log, answer: str, state: str
) -> None:
    with lab.working():
        run = _finished(lab, work, answer)
        line = f"dropped a message: its step has settled workflow='{run.id}' step='a' state='{state}'"
        _deliver(lab, log, lab.sent.of("a"), line)
        assert lab.events_of(run, "a") == ["executing", state]
        _assert_worker_goes_on(lab, work, log)


def test_a_message_of_an_unknown_workflow_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    with lab.working():
        _finished(lab, work)
        line = "dropped a message: its workflow is unknown, or its data is gone workflow='nowhere' step='a'"
        _deliver(lab, log, _altered(lab.sent.of("a"), workflow="nowhere"), line)
        _assert_worker_goes_on(lab, work, log)
    assert not lab.world.keys("workflow:{nowhere}*")


def test_a_message_of_a_workflow_whose_data_is_gone_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    with lab.working():
        run = _finished(lab, work)
        lab.world.redis.delete(*lab.world.keys(f"workflow:{{{run.id}}}*"))
        _deliver(
            lab, log, lab.sent.of("a"), "dropped a message: its workflow is unknown, or its data is gone"
        )
        _assert_worker_goes_on(lab, work, log)
    assert not lab.world.keys(f"workflow:{{{run.id}}}*")


def test_a_message_of_an_unknown_step_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    with lab.working():
        run = _finished(lab, work)
        line = f"dropped a message: its workflow has no such step workflow='{run.id}' step='z'"
        _deliver(lab, log, _altered(lab.sent.of("a"), step="z"), line)
        _assert_worker_goes_on(lab, work, log)
    assert list(run.status().steps) == ["a"]


def test_a_message_of_another_namespace_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    with lab.working():
        _finished(lab, work)
        _deliver(
            lab,
            log,
            _altered(lab.sent.of("a"), ns="theirs"),
            "dropped a message of another namespace workflow=",
        )
        assert log.lines("namespace='theirs'")
        _assert_worker_goes_on(lab, work, log)


@pytest.mark.parametrize(
    "option",
    [
        None, "text", 7, [], {}, {"ns": "n"}, {"ns": "n", "workflow": "w", "step": "s"},
        {"ns": "n", "workflow": "w", "step": "s", "seq": "first"},
        {"ns": "n", "workflow": "w", "step": "s", "seq": None},
        {"ns": "n", "workflow": "w", "step": "s", "seq": 0, "refs": 7},
        {"ns": "n", "workflow": "w", "step": "s", "seq": 0, "refs": [["args"]]},
    ],
    ids=repr,
)  # fmt: skip
def test_a_message_with_a_broken_option_is_dropped(lab: Lab, work: Any, log: Log, option: Any) -> None:
    with lab.working():
        message = work.message_with_options(baton=option)
        _deliver(lab, log, message, f"message {message.message_id} has a broken 'baton' option")
        _assert_worker_goes_on(lab, work, log)


def test_a_message_of_a_workflow_that_a_newer_release_wrote_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    with lab.working():
        run = _finished(lab, work)
        lab.world.redis.hset(f"{lab.world.namespace}:workflow:{{{run.id}}}", "v", "3")
        line = "dropped a message: a newer release wrote its workflow; upgrade this worker"
        _deliver(lab, log, lab.sent.of("a"), line)
        _assert_worker_goes_on(lab, work, log)


@pytest.mark.parametrize("part", ["", ":steps", ":state", ":results", ":events"])
def test_a_message_of_a_workflow_whose_data_is_damaged_is_dropped(
    lab: Lab, work: Any, log: Log, part: str
) -> None:
    with lab.working():
        run = _finished(lab, work)
        key = f"{lab.world.namespace}:workflow:{{{run.id}}}{part}"
        lab.world.redis.set(key, "another program's data", ex=600)
        _deliver(lab, log, lab.sent.of("a"), "dropped a message that can't be worked on")
        assert log.lines("holds what Baton didn't write")
        _assert_worker_goes_on(lab, work, log)
        lab.world.redis.delete(*lab.world.keys(f"workflow:{{{run.id}}}*"))


@pytest.mark.parametrize("part", [":steps", ":state"])
def test_a_message_of_a_step_whose_data_is_damaged_is_dropped(
    lab: Lab, work: Any, log: Log, part: str
) -> None:
    with lab.working():
        run = _finished(lab, work, "discard")
        lab.world.redis.hset(f"{lab.world.namespace}:workflow:{{{run.id}}}{part}", "a", "not msgpack: \xc1")
        _deliver(lab, log, lab.sent.of("a"), "dropped a message that can't be worked on")
        _assert_worker_goes_on(lab, work, log)


def test_an_outdated_message_is_dropped(lab: Lab, work: Any, log: Log) -> None:
    """One of before a snooze or retry, which a broker may deliver again at any time."""

    @lab.actor
    def snooze() -> Any:
        return Snooze(60_000) if lab.note("snoozed") == 1 else "too early"

    flow = Workflow("flow")
    flow.add("a", snooze.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("snoozed")
        assert any(event.event == "snoozed" for event in run.events(follow=True))
        _deliver(lab, log, lab.sent.of("a"), "dropped a message: a later one of its step is on its way")
        assert run.status().steps["a"].state is StepState.SNOOZED
        _assert_worker_goes_on(lab, work, log)
    assert lab.notes.count("snoozed") == 1
