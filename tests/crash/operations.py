"""What operators do in the crash tests, to which workflows, and what must come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from dramatiq_baton import StepState, Workflow, WorkflowNotFound, WorkflowRun, WorkflowState
from dramatiq_baton.store import catalogue, steering
from dramatiq_baton.store.store import Store
from tests.support import story

from . import operating
from .harness import LEASE_TTL, Outcome, Stage
from .operating import AT_ANY_TIME, REASON, Program, deliver_what_is_left, runs_of
from .scenarios import RUN, WIDTH, act

LONG = 60_000  # longer than any test waits, in ms
WORD = "the word"
BUSY = 4  # twice as many as a worker of two threads can run


# Cancelling ------------------------------------------------------------------------------------


def _in_every_state(actors: ModuleType, *, delayed: bool) -> Workflow:
    flow = Workflow("in every state", id="crashed")
    flow.add("done", act(actors, RUN))
    flow.add("usher", act(actors, ["run after", "the usher"]))
    flow.add("snoozed", act(actors, ["snooze", LONG], RUN))
    flow.add("retryable", act(actors, ["retry", LONG], RUN))
    if delayed:
        flow.add("delayed", act(actors, RUN), delay=LONG)
    for number in range(BUSY):  # two of them are executed, the others queued
        flow.add(f"busy {number}", act(actors, ["run after", WORD]), deps="usher")
    deps = ["snoozed", "retryable", *(f"busy {number}" for number in range(BUSY))]
    for number in range(WIDTH):
        kind = actors.act if number % 2 else actors.act_until_shutdown  # with and without callbacks
        flow.add(f"leaf {number}", kind.message([RUN]), deps=deps[number % len(deps)])
    flow.add("join", act(actors, RUN), deps=deps)
    return flow


def get_into_every_state(stage: Stage, *, delayed: bool = True) -> WorkflowRun:
    """Submit it and wait until its steps are in every state that an open step can be in."""
    stage.start_worker(threads=2)
    run = _in_every_state(stage.world.actors, delayed=delayed).run(broker=stage.world.broker)
    stage.wait_for_waiting("the usher")  # in one thread; the other does the rest
    for event, step in (("completed", "done"), ("snoozed", "snoozed"), ("retryable", "retryable")):
        stage.wait_until(run, event=event, step=step)
    stage.world.actors.let_go("the usher")
    stage.wait_for_waiting(WORD)
    stage.wait_for_waiting(WORD)
    counts = run.status().counts
    wanted = {"pending", "queued", "executing", "snoozed", "retryable", "completed"}
    assert set(counts) == wanted, counts
    return run


@dataclass(frozen=True)
class Cancelling:
    """Cancelling a workflow with steps in every state.

    Attributes:
      alone: Whether the only worker dies before that, and the next one comes when the operator is gone.
    """

    alone: bool = False
    program: Program = operating.cancel
    first: str = "cancel"

    def prepare(self, stage: Stage) -> WorkflowRun:
        run = get_into_every_state(stage)
        if self.alone:
            for process in stage.processes:
                process.kill()
        return run

    def has_begun(self, stage: Stage, run: WorkflowRun) -> bool:
        return bool(stage.world.redis.hexists(f"{stage.world.namespace}:workflow:{{{run.id}}}", "called_off"))

    def operate(self, stage: Stage, run: WorkflowRun) -> None:
        run.cancel(REASON)
        assert run.status().state is WorkflowState.CANCELLED  # at once

    def look(self, stage: Stage, run: WorkflowRun, outcome: Outcome) -> None:
        if self.alone:
            stage.start_worker(threads=2)
        if not stage.finish(run, outcome):
            return
        stage.world.actors.let_go(WORD)
        deliver_what_is_left(stage)
        status, events = run.status(), list(run.events())
        outcome.waits = stage.waits(events)
        outcome.wrong += story.violations(status, events, lease_ttl=LEASE_TTL)
        outcome.wrong += stage.world.left_behind()
        if status.state != WorkflowState.CANCELLED:
            outcome.wrong.append(f"the workflow is {status.state}")
        kept = {"done", "usher"}
        outcome.wrong += [
            f"{step.name} is {step.state}: {step.reason!r}"
            for step in status.steps.values()
            if step.name not in kept and (step.state, step.reason) != (StepState.CANCELLED, REASON)
        ]
        if run.results() != dict.fromkeys(kept, 1):
            outcome.wrong.append(f"results are kept of {run.results()}")
        kinds = [str(event.event) for event in events if not event.cached]
        if after := set(kinds[kinds.index("cancelled") :]) - {"cancelled", "workflow_finished"}:
            outcome.wrong.append(f"{after} when it was cancelled")
        calls = [note for note in stage.world.notes(run) if "on_dep" in note]
        outcome.wrong += [f"{call}: nobody asked for that" for call in calls]
        if story.deaths(events):
            outcome.doubtful.append("a living worker lost a lease")


# Retrying --------------------------------------------------------------------------------------


def _failing(actors: ModuleType) -> Workflow:
    flow = Workflow("failing", id="crashed")
    good = flow.add("good", act(actors, RUN))
    bad = flow.add("bad", act(actors, *[["fail", "boom"]] * 3, RUN))
    sad = flow.add("sad", act(actors, ["cancel", "no use"], RUN), deps="good")
    flow.add("child", act(actors, RUN), deps="good")
    flow.add("forgiving", act(actors, ["inputs"], inputs=[good, bad]), ignore_discarded=True)
    flow.add("griever", act(actors, RUN), deps="bad")
    flow.add("after griever", act(actors, RUN), deps="griever")
    flow.add("after all that", act(actors, RUN), deps=["after griever", "child"])
    for number in range(WIDTH):
        flow.add(f"leaf {number}", actors.act_until_shutdown.message([RUN]), deps="bad")
    flow.add("join", act(actors, ["inputs"], inputs=[good, bad, sad]), deps=["leaf 0", "child", "forgiving"])
    return flow


def fail(stage: Stage) -> WorkflowRun:
    """Have a workflow fail: with one step discarded, most of the others cancelled, and some completed."""
    stage.start_worker(threads=2)
    run = _failing(stage.world.actors).run(broker=stage.world.broker)
    assert run.wait(timeout=30_000).state is WorkflowState.FAILED
    return run


def be_cancelled(stage: Stage) -> WorkflowRun:
    """Have a workflow cancelled, of which two steps are still being executed."""
    run = get_into_every_state(stage, delayed=False)
    run.cancel(REASON)
    return run


LEAVES = tuple(f"leaf {number}" for number in range(WIDTH))
#: What the steps of the two workflows return in the end: of most of them, which run it was.
MENDED: dict[str, Any] = dict.fromkeys(
    ("good", "child", "griever", "after griever", "after all that", *LEAVES), 1
) | {"bad": 4, "sad": 2, "forgiving": [1, None], "join": [1, 4, 2]}
TAKEN_UP = dict.fromkeys(("done", "usher", "join", *LEAVES), 1) | {"snoozed": 2, "retryable": 2}


@dataclass(frozen=True)
class Retrying:
    """Retrying a workflow whose first run is over.

    Attributes:
      prepare_: Brings that about.
      program: With the user's code, or without.
      kept: The steps that completed in the first run.
      results: What the steps return in the end; of the others, how often they ran.
    """

    prepare_: Callable[[Stage], WorkflowRun] = fail
    program: Program = operating.retry
    kept: tuple[str, ...] = ("good", "child", "forgiving")
    results: dict[str, Any] = field(default_factory=lambda: MENDED)
    first: str = "retry"

    def prepare(self, stage: Stage) -> WorkflowRun:
        return self.prepare_(stage)

    def has_begun(self, stage: Stage, run: WorkflowRun) -> bool:
        return stage.world.redis.hget(f"{stage.world.namespace}:workflow:{{{run.id}}}", "run") == "2"

    def operate(self, stage: Stage, run: WorkflowRun) -> None:
        run.retry()

    def look(self, stage: Stage, run: WorkflowRun, outcome: Outcome) -> None:
        stage.world.actors.let_go(WORD)
        if not stage.finish(run, outcome):
            return
        deliver_what_is_left(stage)
        status, events = run.status(), list(run.events())
        outcome.waits = stage.waits(events)
        outcome.wrong += story.violations(status, events, lease_ttl=LEASE_TTL, runs=2)
        outcome.wrong += stage.world.left_behind()
        if status.state != WorkflowState.COMPLETED:
            outcome.wrong.append(f"the workflow is {status.state}")
        found = []
        starts = Counter(event.step for event in runs_of(events)[-1] if event.event == "executing")
        for step in status.steps:
            if starts[step] != (step not in self.kept):
                found.append(f"{step} was started {starts[step]} times in the second run")
        ran = Counter(note.split("|")[0] for note in stage.world.notes(run) if "|run|" in note)
        results = run.results()
        for step in status.steps:
            wanted = self.results.get(step, ran[step])
            if results.get(step) != wanted:
                found.append(f"{step} returned {results.get(step)} and not {wanted}")
        calls = Counter(note.split("|")[0] for note in stage.world.notes(run) if "on_dep" in note)
        if (
            set(calls) - {"griever", "after griever", "after all that", "join"}
            or max(calls.values(), default=1) > 1
        ):
            found.append(f"callbacks were run: {calls}")
        if story.deaths(events):
            outcome.doubtful += ["a living worker lost a lease", *found]
        else:
            outcome.wrong += found


CANCELLING, CANCELLING_ALONE = Cancelling(), Cancelling(alone=True)
RETRYING = Retrying()
RETRYING_WITHOUT_CODE = Retrying(program=operating.retry_without_code)
RETRYING_CANCELLED = Retrying(be_cancelled, kept=("done", "usher"), results=TAKEN_UP)


# Pruning ---------------------------------------------------------------------------------------


def _short(actors: ModuleType) -> Workflow:
    flow = Workflow("short", id="crashed")
    flow.add("good", act(actors, RUN))
    flow.add("bad", act(actors, ["discard", "no good"]), deps="good")
    flow.add("griever", act(actors, RUN), deps="bad")
    return flow


def is_listed(stage: Stage, run: WorkflowRun) -> bool:
    """Whether whoever asks which workflows there are is told of it."""
    return run.id in [entry.id for entry in catalogue.entries(store_of(stage))]


def store_of(stage: Stage) -> Store:
    """The workflows, for somebody who has neither the actors nor their broker."""
    return Store(stage.world.redis, namespace=stage.world.namespace, lease_ttl=LEASE_TTL)


@dataclass(frozen=True)
class Pruning:
    """Removing a workflow that has finished."""

    program: Program = operating.prune
    first: str = "prune"

    def prepare(self, stage: Stage) -> WorkflowRun:
        stage.start_worker(threads=2)
        run = _short(stage.world.actors).run(broker=stage.world.broker)
        assert run.wait(timeout=30_000).state is WorkflowState.FAILED
        return run

    def has_begun(self, stage: Stage, run: WorkflowRun) -> bool:
        """Whether it is gone; until then, nothing of it may be."""
        try:
            status = run.status()
        except WorkflowNotFound:
            return True
        assert not story.violations(status, list(run.events()), lease_ttl=LEASE_TTL)
        assert run.results() == {"good": 1}
        assert not stage.world.left_behind()
        assert is_listed(stage, run)
        return False

    def operate(self, stage: Stage, run: WorkflowRun) -> None:
        pruned = steering.prune(store_of(stage), run.id, finished_before=AT_ANY_TIME)
        assert pruned is steering.Pruned.PRUNED

    def look(self, stage: Stage, run: WorkflowRun, outcome: Outcome) -> None:
        deliver_what_is_left(stage)
        world = stage.world
        outcome.wrong += [f"{key} is left" for key in world.keys(f"workflow:{{{run.id}}}*")]
        for key in world.keys("index:*"):
            if world.redis.type(key) == "zset":
                members = world.redis.zrange(key, 0, -1)
                outcome.wrong += [f"{key} still has {member!r}" for member in members if run.id in member]
        if is_listed(stage, run):
            outcome.wrong.append("it is still listed")
        again = steering.prune(store_of(stage), run.id, finished_before=AT_ANY_TIME)
        if again is not steering.Pruned.UNKNOWN:
            outcome.wrong.append(f"pruning it again says {again}")


PRUNING = Pruning()
