"""Observers are told of each change once, by the process whose script made it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import (
    BatonMiddleware,
    Cancel,
    ConfigurationError,
    Discard,
    EventType,
    Snooze,
    StepState,
    Workflow,
    WorkflowRun,
    WorkflowState,
)
from dramatiq_baton.observing import (
    Execution,
    Observer,
    Observers,
    StepChange,
    StepRescue,
    Submission,
    WorkflowEnd,
    WorkflowStart,
)
from dramatiq_baton.rescue import Rescue
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.lab import Lab, Log
from tests.support.own import MakeLab
from tests.support.recorder import Recorder
from tests.support.world import World


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def watched(make_lab: MakeLab, recorder: Recorder) -> Lab:
    return make_lab(observers=[recorder])


def watching(hand: ByHand) -> Recorder:
    """Told of what a store's scripts change from now on."""
    recorder = Recorder()
    hand.store.watcher = Observers([recorder]).tell
    return recorder


def told_as_events(recorder: Recorder) -> list[tuple[str, str]]:
    """What was told, as the events tell it."""
    found = []
    for told in recorder.told:
        match told:
            case StepChange(step=step, state=state):
                found.append((str(state), step))
            case WorkflowStart():
                found.append((str(EventType.WORKFLOW_STARTED), ""))
            case WorkflowEnd():
                found.append((str(EventType.WORKFLOW_FINISHED), ""))
    return sorted(found)


def events_of(run: WorkflowRun) -> list[tuple[str, str]]:
    return sorted((str(event.event), event.step) for event in run.events() if not event.cached)


def every_answer(lab: Lab) -> Workflow:
    """A workflow whose steps answer in every way."""
    answers: dict[str, list[Any]] = {
        "value": [1],
        "snooze": [Snooze(10), 1],
        "fail": [ValueError("no"), 1],
        "discard": [Discard("no")],
        "cancel": [Cancel("no")],
    }

    @lab.actor
    def act(name: str) -> Any:
        times = lab.note(name)
        answer = answers[name][min(times, len(answers[name])) - 1]
        if isinstance(answer, ValueError):
            raise answer
        return answer

    flow = Workflow("every-answer")
    for name in answers:
        flow.add(name, act.message(name))
        flow.add(f"after-{name}", act.message("value"), deps=name)
    return flow


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_each_event_is_told_once(watched: Lab, recorder: Recorder, dispatch: Any) -> None:
    flow = every_answer(watched)
    run = watched.finish(flow, dispatch=dispatch)
    assert told_as_events(recorder) == events_of(run)


def test_an_execution_is_told_with_its_times(watched: Lab, recorder: Recorder) -> None:
    run = watched.finish(every_answer(watched))
    for change in recorder.of(StepChange):
        assert (change.workflow_id, change.workflow_name) == (run.id, "every-answer")
        if change.attempt:
            assert (change.actor, change.queue) == ("act", "default")
            assert (change.wait is not None) == (change.state is StepState.EXECUTING)
            assert (change.duration is None) == (change.state is StepState.EXECUTING)
    durations = {event.duration for event in run.events() if event.step and event.duration is not None}
    assert {change.duration for change in recorder.of(StepChange) if change.duration is not None} == durations


def test_a_step_waits_from_when_its_deps_have_settled(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    flow.add("b", own_world.act(), deps="a")
    run = own_world.run(flow)
    recorder = watching(by_hand)
    by_hand.complete(run, "a", 1)
    _backdate(own_world, run, "b", by=5_000)
    by_hand.claim(run, "b")
    waits = {change.step: change.wait for change in recorder.of(StepChange) if change.wait is not None}
    assert 5_000 <= waits["b"] < 35_000
    assert waits["a"] < 30_000


def _backdate(world: World, run: WorkflowRun, step: str, *, by: int) -> None:
    """Let a step have been queued earlier."""
    (key,) = world.keys("index:queued:*")
    assert world.redis.zincrby(key, -by, f"{run.id}\x1f{step}")


def test_a_message_that_comes_again_for_a_completed_step_is_not_told(
    own_world: World, by_hand: ByHand
) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.complete(run, "a", 1)
    recorder = watching(by_hand)
    by_hand.claim(run, "a")
    assert [event.cached for event in run.events() if event.event == "completed"] == [False, True]
    assert recorder.told == []


def test_a_rescue_is_told_by_the_process_that_rescues(
    own_world: World, make_hand: Callable[..., ByHand]
) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    hand = make_hand(lease_ttl=0)
    recorder = watching(hand)
    rescue = Rescue(hand.store, own_world.broker, who="test", interval=50, max_rescues=2)
    for seq in range(2):
        hand.claim(run, "a", seq=seq)
        rescue.look()
    rescues = recorder.of(StepRescue)
    assert [(rescue.step, rescue.actor, rescue.attempt) for rescue in rescues] == [
        ("a", "act", 1),
        ("a", "act", 2),
    ]
    assert recorder.states_of("a") == ["executing", "snoozed", "executing", "discarded"]
    assert [end.state for end in recorder.of(WorkflowEnd)] == [WorkflowState.FAILED]


def test_what_a_cancel_changes_is_told_where_it_is_called(watched: Lab, recorder: Recorder) -> None:
    @watched.actor
    def act() -> None: ...

    flow = Workflow("many")
    for number in range(120):  # more than one script cancels
        flow.add(str(number), act.message())
    run = watched.run(flow)
    assert run.cancel("enough") == 120
    assert told_as_events(recorder) == events_of(run)
    assert [end.state for end in recorder.of(WorkflowEnd)] == [WorkflowState.CANCELLED]


def test_a_retry_is_told_as_another_start_and_end(watched: Lab, recorder: Recorder) -> None:
    @watched.actor(max_retries=0)
    def act() -> None:
        if watched.note("run") == 1:
            raise ValueError("not yet")

    flow = Workflow("twice")
    flow.add("a", act.message())
    with watched.working():
        run = watched.run(flow)
        run.wait(timeout=30_000)
        assert run.retry() == 1
        run.wait(timeout=30_000)
    assert len(recorder.of(WorkflowStart)) == 2
    assert [end.state for end in recorder.of(WorkflowEnd)] == [WorkflowState.FAILED, WorkflowState.COMPLETED]
    assert told_as_events(recorder) == events_of(run)


def test_async_callers_tell_as_blocking_ones_do(watched: Lab, recorder: Recorder) -> None:
    @watched.actor
    def act() -> None: ...

    flow = Workflow("async")
    for number in range(120):
        flow.add(str(number), act.message())

    async def submit_and_cancel() -> WorkflowRun:
        run = await flow.run_async(broker=watched.broker)
        await run.cancel_async()
        return run

    run = asyncio.run(submit_and_cancel())
    assert told_as_events(recorder) == events_of(run)


def test_running_an_existing_workflow_again_is_not_told_as_a_start(watched: Lab, recorder: Recorder) -> None:
    @watched.actor
    def act() -> None: ...

    for _ in range(2):
        flow = Workflow("once", id="the-same")
        flow.add("a", act.message())
        run = watched.run(flow)
    run.cancel()
    assert len(recorder.of(WorkflowStart)) == 1


def test_plain_actors_are_not_told(watched: Lab, recorder: Recorder) -> None:
    @watched.plain_actor
    def plain() -> None:
        watched.note("run")

    @watched.actor
    def act() -> None:
        watched.note("run")

    with watched.working():
        plain.send()
        act.send()
        watched.wait_note("run", times=2)
    assert recorder.told == []


def test_what_an_observer_raises_is_logged_and_changes_nothing(
    make_lab: MakeLab, log: Log, recorder: Recorder
) -> None:
    lab = make_lab(observers=[Failing(), recorder])
    run = lab.finish(every_answer(lab))
    assert run.status().state is WorkflowState.FAILED
    assert told_as_events(recorder) == events_of(run)  # the next one is told all the same
    assert set(lab.notes) == {"value", "snooze", "fail", "discard", "cancel"}
    assert len(log.lines("an observer failed")) == 1  # once is enough
    assert not log.lines("Unexpected failure")


class Failing(Observer):
    def _fail(self, *_: Any) -> Any:
        raise RuntimeError("an observer's own fault")

    starting = before_submit = after_submit = before_actor = after_actor = _fail
    workflow_started = workflow_finished = step_changed = step_rescued = execution_recorded = _fail


class Around(Recorder):
    """Keeps what happens around submissions and actors."""

    def before_submit(self, submission: Submission) -> dict[str, str]:
        self.keep(("before_submit", submission.workflow_name, submission.steps))
        return {}

    def after_submit(self, submission: Submission, error: BaseException | None) -> None:
        self.keep(("after_submit", submission.created, error and str(error)))

    def before_actor(self, execution: Execution) -> dict[str, str]:
        self.keep(("before_actor", execution.step, execution.attempt))
        return {}

    def after_actor(self, execution: Execution, error: BaseException | None) -> None:
        self.keep(("after_actor", execution.step, error and str(error)))

    def execution_recorded(self, execution: Execution, state: StepState | None, reason: str) -> None:
        self.keep((execution.step, state and str(state), reason))

    @property
    def around(self) -> list[tuple[Any, ...]]:
        return self.of(tuple)


def test_an_execution_is_told_around_the_actor_and_when_it_is_recorded(make_lab: MakeLab) -> None:
    around = Around()
    lab = make_lab(observers=[around])

    @lab.actor(max_retries=1)
    def act() -> Any:
        if lab.note("run") == 1:
            return Snooze(5, "busy")
        raise ValueError("no")

    flow = Workflow("around")
    flow.add("a", act.message())
    lab.finish(flow)
    assert around.around == [
        *(("before_submit", "around", 1), ("after_submit", True, None)),
        *(("before_actor", "a", 1), ("after_actor", "a", None), ("a", "snoozed", "busy")),
        *(("before_actor", "a", 2), ("after_actor", "a", "no"), ("a", "retryable", "ValueError: no")),
        *(("before_actor", "a", 3), ("after_actor", "a", "no"), ("a", "discarded", "ValueError: no")),
    ]


def test_an_execution_without_a_say_is_recorded_without_a_state(make_lab: MakeLab) -> None:
    around = Around()
    lab = make_lab(observers=[around])

    @lab.actor
    def act() -> None:
        lab.note("begun")
        lab.wait_note("cancelled")

    flow = Workflow("around")
    flow.add("a", act.message())
    with lab.working():
        run = lab.run(flow)
        lab.wait_note("begun")
        run.cancel()
        lab.note("cancelled")
    assert around.around[-1] == ("a", None, "")


def test_a_submission_that_fails_is_told_with_its_error(make_lab: MakeLab) -> None:
    around = Around()
    lab = make_lab(observers=[around])

    @lab.actor
    def act(number: int) -> None: ...

    runs = []
    for number in (1, 2):
        flow = Workflow("around", id="the-same")
        flow.add("a", act.message(number))
        if number == 1:
            runs.append(lab.run(flow))
        else:
            with pytest.raises(ValueError, match="exists with another graph"):
                lab.run(flow)
    runs[0].cancel()
    name, created, error = around.around[-1]
    assert (name, created) == ("after_submit", False)
    assert "exists with another graph" in error


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["prometheus"], r"observers must be objects of subclasses of Observer; 'prometheus' isn't one"),
        (Observer(), r"observers must be a list of them, not <"),
    ],
)
def test_an_observer_must_be_one(wrong: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        BatonMiddleware(observers=wrong)


def test_what_another_process_changes_is_told_there(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    recorder = watching(by_hand)
    token = by_hand.claim(run, "a").token
    run.cancel()
    by_hand.store.defer(Address(run.id, "a"), token, StepState.RETRYABLE, delay=0, retries=1, worker="")
    assert recorder.states_of("a") == ["executing"]
