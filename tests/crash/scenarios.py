"""The workflows that are crashed, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from dramatiq_baton import StepState, StoreUnavailable, Workflow, WorkflowRun, WorkflowState, workflow_actor

RUN = ["run"]  # the order to return the number of the run
WIDTH = 130  # more dependents than one script tells


@dataclass(frozen=True)
class Scenario:
    """A workflow, and how it must end.

    Attributes:
      build: Builds it, from the module of actors.
      outcome: The workflow's state at the end.
      runs: How often the actor of each step is started if nothing happens.
      ends: The states of the steps that don't complete.
      callbacks: The steps whose callback is run.
      join: The step that returns the results of its deps, and these deps.
      dispatch: As ``run()`` takes it.
      skipped: Names of commands that need not be struck at.
      rounds: How many times the workflow runs: 1, and 1 more for each retry.
      heavy: Whether sending it again takes so long that the time to recover says little.
    """

    build: Callable[[ModuleType], Workflow]
    outcome: WorkflowState
    runs: dict[str, int]
    ends: dict[str, StepState] = field(default_factory=dict)
    callbacks: tuple[str, ...] = ()
    join: tuple[str, tuple[str, ...]] = ("", ())
    dispatch: Any = "ready"
    skipped: frozenset[str] = frozenset()
    rounds: int = 1
    heavy: bool = False

    def submit(self, actors: ModuleType, workflow_id: str) -> WorkflowRun:
        flow = self.build(actors)
        flow.id = workflow_id
        return flow.run(broker=actors.broker, dispatch=self.dispatch)

    def violations(
        self, states: dict[str, StepState], results: dict[str, Any], runs: dict[str, int]
    ) -> list[str]:
        """What is wrong with how it ended; ``runs`` says how often actors were started."""
        wrong = []
        for name, state in states.items():
            wanted = self.ends.get(name, StepState.COMPLETED)
            if state != wanted:
                wrong.append(f"{name} is {state}, not {wanted}")
            if runs.get(name, 0) > self.runs.get(name, 0) + 1:
                wrong.append(f"{name} ran {runs[name]} times instead of {self.runs.get(name, 0)}")
        if extra := {name for name in runs if runs[name] > self.runs.get(name, 0)}:
            wrong += [f"more than one step ran again: {extra}"] if len(extra) > 1 else []
        join, deps = self.join
        for name, result in results.items():
            if name != join and result != runs[name]:  # the run that was stored must have been the last one
                wrong.append(f"{name} ran {runs[name]} times, the result of run {result} was stored")
        if join and results.get(join) != [results.get(dep) for dep in deps]:
            wrong.append(f"{join} is {results.get(join)}, its deps returned {results}")
        return wrong


def act(actors: ModuleType, *orders: Any, inputs: Any = None) -> Any:
    """The message of a step that follows ``orders``, one a run."""
    return actors.act.message(list(orders), inputs)


def _stranger(actors: ModuleType) -> Any:
    """The message of an actor that the submitter knows and the workers don't."""
    name = "stranger"
    if name not in actors.broker.actors:
        workflow_actor(actor_name=name, queue_name=actors.QUEUE, broker=actors.broker)(lambda: None)
    return actors.broker.get_actor(name).message()


def _all_kinds(actors: ModuleType) -> Workflow:
    flow = Workflow("all kinds")
    flow.add("start", act(actors, RUN))
    left = flow.add("left", act(actors, ["busy", 350]), deps="start")  # its lease must be renewed
    right = flow.add("right", act(actors, ["fail", "boom"], RUN), deps="start")
    nap = flow.add("nap", act(actors, ["snooze", 20], RUN), deps="start")
    bad = flow.add("bad", act(actors, ["discard", "no good"]), deps="start")
    flow.add("griever", act(actors, RUN), deps="bad")
    flow.add("stranger", _stranger(actors), deps="start")
    inputs = act(actors, ["inputs"], inputs=[left, right, nap, bad])
    flow.add("join", inputs, deps="stranger", ignore_discarded=True)
    return flow


#: A fan-out, a fan-in, a retry, a snooze, a discard with callback, an ignored dep, a rejected message.
ALL_KINDS = Scenario(
    _all_kinds,
    WorkflowState.FAILED,
    runs={"start": 1, "left": 1, "right": 2, "nap": 2, "bad": 1, "join": 1},
    ends={
        "bad": StepState.DISCARDED,
        "stranger": StepState.DISCARDED,
        "griever": StepState.CANCELLED,
    },
    callbacks=("griever",),
    join=("join", ("left", "right", "nap", "bad")),
)


def _diamond(actors: ModuleType) -> Workflow:
    flow = Workflow("diamond")
    start = flow.add("start", act(actors, RUN))
    left = flow.add("left", act(actors, RUN), deps="start")
    flow.add("right", act(actors, ["fail", "boom"], RUN), deps="start")
    flow.add("join", act(actors, ["inputs"], inputs=[start, left]), deps="right")
    return flow


DIAMOND = Scenario(
    _diamond,
    WorkflowState.COMPLETED,
    runs={"start": 1, "left": 1, "right": 2, "join": 1},
    join=("join", ("start", "left")),
)
#: Steps that wait for their deps in their queue.
EAGER_DIAMOND = Scenario(
    _diamond,
    WorkflowState.COMPLETED,
    runs={"start": 1, "left": 1, "right": 2, "join": 1},
    join=("join", ("start", "left")),
    dispatch="eager",
)


def _wide(actors: ModuleType) -> Workflow:
    flow = Workflow("wide")
    flow.add("root", act(actors, ["discard", "no good"]))
    names = [f"leaf {number}" for number in range(WIDTH)]
    for name in names:
        flow.add(name, actors.act_until_shutdown.message([RUN]), deps="root")
    flow.add("join", act(actors, RUN), deps=names, ignore_cancelled=True)
    return flow


#: More dependents than one script tells.
WIDE = Scenario(
    _wide,
    WorkflowState.FAILED,
    runs={"root": 1, "join": 1},
    ends={"root": StepState.DISCARDED, **{f"leaf {n}": StepState.CANCELLED for n in range(WIDTH)}},
)


def _wreck(actors: ModuleType) -> Workflow:
    flow = Workflow("wreck")
    nap = flow.add("nap", act(actors, ["snooze", 300], RUN))
    retried = flow.add("retried", act(actors, ["fail", "boom"], RUN))
    deadly = flow.add("deadly", act(actors, ["die when", "callback"], RUN))
    flow.add("bad", act(actors, ["discard", "callback waits"]))
    flow.add("griever", act(actors, RUN), deps="bad")
    late = [flow.add(f"late {n}", act(actors, RUN), deps="bad", ignore_discarded=True) for n in range(2)]
    flow.add("join", act(actors, ["inputs"], inputs=[nap, retried, deadly, *late]))
    return flow


#: A worker that runs it with two threads dies, and leaves behind: a step and a callback that it was running,
#: a snoozed and a retryable step, queued steps whose messages it had taken.
WRECK = Scenario(
    _wreck,
    WorkflowState.FAILED,
    runs={"nap": 2, "retried": 2, "deadly": 2, "bad": 1, "late 0": 1, "late 1": 1, "join": 1},
    ends={"bad": StepState.DISCARDED, "griever": StepState.CANCELLED},
    callbacks=("griever",),
    join=("join", ("nap", "retried", "deadly", "late 0", "late 1")),
)


def _handed_back(actors: ModuleType) -> Workflow:
    flow = Workflow("handed back")
    flow.add("interrupted", actors.act_until_shutdown.message([["run after", "the stop"]]))
    flow.add("not started", act(actors, RUN))
    return flow


#: A worker with one thread that is told to stop while it runs the first step.
HANDED_BACK = Scenario(_handed_back, WorkflowState.COMPLETED, runs={"interrupted": 2, "not started": 1})


def _resumed(actors: ModuleType) -> Workflow:
    flow = Workflow("resumed")
    good = flow.add("good", act(actors, RUN))
    bad = flow.add("bad", act(actors, *[["fail", "boom"]] * 3, RUN))
    flow.add("child", act(actors, RUN), deps="good")
    griever = flow.add("griever", act(actors, RUN), deps="bad")
    flow.add("join", act(actors, ["inputs"], inputs=[good, bad, griever]), deps="child")
    return flow


#: It fails the first time, and completes when it is retried.
RESUMED = Scenario(
    _resumed,
    WorkflowState.COMPLETED,
    runs={"good": 1, "bad": 4, "child": 1, "griever": 1, "join": 1},
    callbacks=("griever", "join"),
    join=("join", ("good", "bad", "griever")),
    rounds=2,
)


#: What is paid for under a key, and must not be paid for twice.
CALLS = ("draft", "review", "print")
#: What is paid for without one: its answer is the step's result.
ANSWER = "answer"


def _paid(actors: ModuleType) -> Workflow:
    flow = Workflow("paid")
    last = CALLS[-1]
    flow.add(
        "paid", act(actors, ["once", CALLS[:-1], ["fail", "boom"]], ["once", [*CALLS, last], ["ask", ANSWER]])
    )
    return flow


#: A step that makes calls of which each is to be made once, and that fails before the last one.
PAID = Scenario(_paid, WorkflowState.COMPLETED, runs={"paid": 2})


def _large(actors: ModuleType) -> Workflow:
    flow = Workflow("large")
    names = [f"leaf {number}" for number in range(2 * WIDTH)]
    flow.add("root", act(actors, ["discard", "no good"]))
    for name in names:
        flow.add(name, actors.act_until_shutdown.message([RUN]), deps="root")
    return flow


#: So large that it is staged.
LARGE = Scenario(
    _large,
    WorkflowState.FAILED,
    runs={"root": 1},
    ends={"root": StepState.DISCARDED, **{f"leaf {n}": StepState.CANCELLED for n in range(2 * WIDTH)}},
)


ROOTS = 103


def _many_roots(actors: ModuleType) -> Workflow:
    flow = Workflow("many roots")
    for number in range(ROOTS):
        flow.add(f"root {number}", _stranger(actors))
    return flow


#: More steps to start with than one script releases. Striking at the first enqueue, the last of that script and
#: the last of all is enough.
MANY_ROOTS = Scenario(
    _many_roots,
    WorkflowState.FAILED,
    runs={},
    ends={f"root {n}": StepState.DISCARDED for n in range(ROOTS)},
    skipped=frozenset(f"enqueue(root {n})" for n in range(ROOTS) if n not in (0, 99, ROOTS - 1)),
    heavy=True,
)

SCENARIOS = {"diamond": DIAMOND, "eager diamond": EAGER_DIAMOND, "large": LARGE, "many roots": MANY_ROOTS}


def submit(actors: ModuleType, name: str, workflow_id: str) -> None:
    """Submit a scenario as a careful program does: once more under the same id if there was no answer."""
    while True:
        try:
            run = SCENARIOS[name].submit(actors, workflow_id)
        except StoreUnavailable:
            tell(actors, "no answer")
            continue
        except Exception as error:
            tell(actors, repr(error))
            raise
        tell(actors, "created" if run.created else "exists")
        return


def tell(actors: ModuleType, word: str) -> None:
    """Tell the test what came of submitting."""
    actors.probe.rpush(told_key(actors), word)
    actors.probe.expire(told_key(actors), 600)


def told_key(actors: ModuleType) -> str:
    return f"{actors.NAMESPACE}:probe:told"
