"""``Workflow``: what users build a graph of steps with."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast

from dramatiq import Broker, Message, get_broker
from dramatiq.encoder import JSONEncoder, MessageData
from dramatiq.errors import ActorNotFound
from dramatiq.message import get_encoder

from .actors import StepFunction, step_function
from .durations import MAX_DELAY, Duration, to_ms
from .errors import (
    ConfigurationError,
    DuplicateStep,
    NotAWorkflowActor,
    ResultNotSerializable,
    UnknownStep,
    WorkflowExists,
)
from .graph import Content, Graph, Json, Path, StepFlags, StepSpec
from .money import to_budget
from .names import check_key_part, check_name
from .observing import Submission
from .outcomes import Cancel, Discard, Snooze
from .release import release, release_async, send_all
from .run import WorkflowRun, middleware_of
from .runtime import Runtime
from .store import reading, submission
from .store.replies import Spread
from .store.talks import Talk

T = TypeVar("T")

Dispatch = Literal["ready", "eager"]

#: A workflow of up to so many steps is prepared in the event loop that runs it; it takes some milliseconds.
PREPARED_AT_ONCE = 50

_IGNORE = {
    (False, False): StepFlags.NONE,
    (True, False): StepFlags.IGNORE_CANCELLED,
    (False, True): StepFlags.IGNORE_DISCARDED,
    (True, True): StepFlags.IGNORE_CANCELLED | StepFlags.IGNORE_DISCARDED,
}

_as_json = json.JSONEncoder(separators=(",", ":")).encode  # as Dramatiq's encoder does


class StepRef:
    """Stands for a step of a workflow that is being built.

    As an argument of another step's message it stands for that step's result. To a type checker it is
    of the type that the step's actor returns.
    """

    __slots__ = ("name", "workflow")

    def __init__(self, workflow: Workflow, name: str) -> None:
        self.workflow = workflow
        self.name = name

    def __repr__(self) -> str:
        return f"<StepRef {self.name!r}>"


@dataclass(frozen=True, slots=True)
class _Added:
    """A step as it was added; what else there is to know of it depends on the broker."""

    name: str
    message: Message[Any]
    deps: tuple[str, ...]
    refs: tuple[tuple[Path, str], ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    ignore: StepFlags
    delay: int
    quorum: int


@dataclass(frozen=True, slots=True)
class _Start:
    """A workflow that is ready to be submitted."""

    runtime: Runtime
    graph: Graph
    packed: submission.Packed
    delay: int
    eager: bool
    submission: Submission


class Workflow:
    """A graph of steps, to be run once.

    Examples:

      >>> flow = Workflow("research-brief")
      >>> page = flow.add("fetch", fetch.message("https://example.com"))
      >>> flow.add("summary", summarize.message(page))
      >>> run = flow.run()

    Parameters:
      name: What the workflow is called; many may have the same name.
      id: Its identity. Running a second workflow of the same id starts nothing. One is made up if
        none is given.
      ignore_cancelled: Whether steps go on when a dep was cancelled, unless they say otherwise.
      ignore_discarded: The same for a dep that was discarded.
      budget: What its calls to providers may cost, in US dollars. Once so much is spent, LLM steps that aren't running
        are cancelled instead of run; the calls that run then are what it may be exceeded by. Only calls that are
        recorded and have a known price count.

    Raises:
      InvalidName: If the name or the id can't be used.
      ConfigurationError: If the budget isn't an amount.
    """

    def __init__(
        self,
        name: str,
        *,
        id: str | None = None,
        ignore_cancelled: bool = False,
        ignore_discarded: bool = False,
        budget: Decimal | None = None,
    ) -> None:
        self.name = check_name(name, what="a workflow's name")
        self.id = uuid.uuid4().hex if id is None else check_key_part(id, what="a workflow's id")
        self.budget = to_budget(budget)
        self._ignore_cancelled = ignore_cancelled
        self._ignore_discarded = ignore_discarded
        self._steps: dict[str, _Added] = {}

    def __repr__(self) -> str:
        return f"<Workflow {self.name!r} {self.id!r} with {len(self._steps)} steps>"

    def __len__(self) -> int:
        return len(self._steps)

    def add(
        self,
        name: str,
        message: Message[T | Snooze | Discard | Cancel],
        *,
        deps: Any = (),
        delay: Duration | None = None,
        ignore_cancelled: bool | None = None,
        ignore_discarded: bool | None = None,
    ) -> T:
        """Add a step.

        Parameters:
          name: Its name, unique in this workflow.
          message: The message of a workflow actor, as ``actor.message(...)`` makes it. What
            :meth:`add` returned for other steps may stand anywhere in its arguments, in lists and dicts
            too: those steps become deps, and the actor receives their results.
          deps: More steps that must settle first, by name or by what :meth:`add` returned; one or many.
            Names of steps that are added later will do.
          delay: How long it waits once its deps have settled, in milliseconds or as a ``timedelta``; at most a
            hundred years. It may start up to ``rescue_interval`` later. A step that is retried doesn't wait again.
          ignore_cancelled: Whether to go on when a dep was cancelled; as the workflow does, if not given.
          ignore_discarded: The same for a dep that was discarded.

        Returns:
          A :class:`StepRef` (to a type checker: the actor's result).

        Raises:
          InvalidName: If the name can't be used.
          DuplicateStep: If there is a step of that name.
          NotAWorkflowActor: If ``message`` isn't a Dramatiq message.
          UnknownStep: If a ref belongs to another workflow.
          ResultNotSerializable: If an argument holds itself.
          ConfigurationError: If the delay can't be used.
        """
        self._put(
            self._prepared(
                *(name, message),
                deps=deps,
                delay=delay,
                ignore_cancelled=ignore_cancelled,
                ignore_discarded=ignore_discarded,
            )
        )
        return cast(T, StepRef(self, name))

    def _put(self, *steps: _Added) -> None:
        for step in steps:
            self._steps[step.name] = step

    def _prepared(
        self,
        name: str,
        message: Message[Any],
        *,
        deps: Any = (),
        delay: Duration | None = None,
        ignore_cancelled: bool | None = None,
        ignore_discarded: bool | None = None,
        quorum: int = 0,
    ) -> _Added:
        """Check a step that is to be added, and change nothing yet: what adds several adds all or none."""
        check_name(name, what="a step's name")
        if name in self._steps:
            raise DuplicateStep(f"workflow {self.name!r} has a step {name!r} already; names are unique")
        if not isinstance(message, Message):
            raise NotAWorkflowActor(
                f"step {name!r} needs a message, as actor.message(...) makes it, not {type(message).__name__}"
            )
        refs: list[tuple[Path, str]] = []
        try:
            args = self._without_refs(name, list(message.args), ("args",), refs)
            kwargs = self._without_refs(name, message.kwargs, ("kwargs",), refs)
        except RecursionError:
            raise ResultNotSerializable(
                f"the message of step {name!r} can't be encoded: it is nested too deeply, or holds itself"
            ) from None
        named = [self._dep_name(name, dep) for dep in one_or_many(deps)]
        cancelled = self._ignore_cancelled if ignore_cancelled is None else ignore_cancelled
        discarded = self._ignore_discarded if ignore_discarded is None else ignore_discarded
        return _Added(
            name=name,
            message=message,
            deps=tuple(dict.fromkeys([*(dep for _, dep in refs), *named])),
            refs=tuple(refs),
            args=tuple(args),
            kwargs=kwargs,
            ignore=_IGNORE[bool(cancelled), bool(discarded)],
            delay=_delay(delay, f"the delay of step {name!r}"),
            quorum=quorum,
        )

    def run(
        self, *, broker: Broker | None = None, delay: Duration | None = None, dispatch: Dispatch = "ready"
    ) -> WorkflowRun:
        """Submit the workflow: all of it, or nothing.

        Parameters:
          broker: The broker that its actors are declared on; the global one if not given.
          delay: How long to wait before the first steps are sent, in milliseconds or as a ``timedelta``; at most a
            hundred years. They may be sent up to ``rescue_interval`` later.
          dispatch: When steps are sent to their queues. ``"ready"``: when their deps have settled, so
            that a blocked step costs nothing. ``"eager"``: all at once, and each snoozes until it is
            ready, which needs no help from the worker that ran its deps. A delayed workflow is always
            dispatched as ``"ready"``.

        Returns:
          A handle. Its ``created`` is ``False`` if this very graph was submitted before under this id.

        Raises:
          EmptyWorkflow: If there are no steps.
          UnknownStep: If a dep isn't a step.
          CycleError: If steps wait for one another; names them.
          NotAWorkflowActor: If a step's actor wasn't declared with ``@workflow_actor`` on the broker.
          ResultNotSerializable: If a message can't be encoded by Dramatiq's encoder.
          WorkflowExists: If the id belongs to a workflow with another graph.
          ConfigurationError: If the broker has no ``BatonMiddleware``, ``dispatch`` is something else, or the delay
            can't be used.
          StoreUnavailable: If Redis doesn't answer. Nothing runs then, unless only the answer was lost:
            running it again under the same id tells.
        """
        start = self._start(broker, delay, dispatch)
        store = start.runtime.store
        with start.runtime.observers.submitting(start.submission):
            name, spread = store.connections.hold(self._submit(start))
            if spread is not None:
                if start.eager:
                    send_all(store, start.runtime.broker, self.id, start.graph.steps)
                release(store, start.runtime.broker, self.id, spread)
        return WorkflowRun(start.runtime, self.id, name, created=spread is not None)

    async def run_async(
        self, *, broker: Broker | None = None, delay: Duration | None = None, dispatch: Dispatch = "ready"
    ) -> WorkflowRun:
        """:meth:`run` for event loops: takes, gives and raises the same.

        What blocks is done in a thread of the loop's executor: preparing a workflow of more than 50 steps, and
        sending steps through a broker on which scripts can't. Whoever is cancelled meanwhile has submitted the
        workflow or has not; running it again under the same id tells.
        """
        if len(self) > PREPARED_AT_ONCE:
            start = await asyncio.to_thread(self._start, broker, delay, dispatch)
        else:
            start = self._start(broker, delay, dispatch)
        store = start.runtime.store
        with start.runtime.observers.submitting(start.submission):
            name, spread = await store.loops.hold(self._submit(start))
            if spread is not None:
                if start.eager:
                    await asyncio.to_thread(send_all, store, start.runtime.broker, self.id, start.graph.steps)
                await release_async(store, start.runtime.broker, self.id, spread)
        return WorkflowRun(start.runtime, self.id, name, created=spread is not None)

    def _start(self, broker: Broker | None, delay: Duration | None, dispatch: Dispatch) -> _Start:
        """All that can be said of a run before anything is asked."""
        if dispatch not in ("ready", "eager"):
            raise ConfigurationError(f'dispatch must be "ready" or "eager", not {dispatch!r}')
        patience = _delay(delay, "the workflow's delay")
        broker = broker or get_broker()
        runtime = middleware_of(broker).runtime(broker)
        graph = Graph.of(self._specs(broker), workflow=self.name)
        eager = dispatch == "eager" and not patience
        observed = Submission(self.id, self.name, len(self))
        return _Start(runtime, graph, submission.pack(graph), patience, eager, observed)

    def _submit(self, start: _Start) -> Talk[tuple[str, Spread | None]]:
        """Submit the workflow; gives back its name, and what is to be sent if it is a new one."""
        yield from start.runtime.checking_server_once()
        store = start.runtime.store
        spread = yield from submission.submit.talk(
            store,
            self.id,
            self.name,
            start.packed,
            dispatch="eager" if start.eager else "ready",
            retention=start.runtime.options.retention,
            delay=start.delay,
            budget=self.budget,
            words=start.submission.words,
        )
        if spread.word == "differs":
            raise WorkflowExists(
                f"workflow {self.id!r} exists with another graph; give this one an id of its own"
            )
        if spread.word == "created":
            start.submission.created = True
            return self.name, spread
        name, _ = yield from reading.summary.talk(store, self.id)
        return name, None

    def _without_refs(self, step: str, value: Any, path: Path, refs: list[tuple[Path, str]]) -> Any:
        """Copy ``value`` with a readable placeholder for each ref, and note where they were."""
        if isinstance(value, StepRef):
            refs.append((path, self._dep_name(step, value)))
            return f"<result of {value.name}>"
        if isinstance(value, list | tuple):
            return [self._without_refs(step, item, (*path, i), refs) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._without_refs(step, item, (*path, key), refs) for key, item in value.items()}
        return value

    def _dep_name(self, step: str, dep: object) -> str:
        if isinstance(dep, StepRef):
            if dep.workflow is not self:
                raise UnknownStep(
                    f"step {step!r} refers to step {dep.name!r} of another workflow, {dep.workflow.name!r}"
                )
            return dep.name
        if isinstance(dep, str):
            return dep
        raise UnknownStep(
            f"a dep of step {step!r} must be a step's name or what add() returned, not {type(dep).__name__}"
        )

    def _specs(self, broker: Broker) -> Iterable[StepSpec]:
        ids: set[str] = set()
        for position, step in enumerate(self._steps.values()):
            message = step.message
            function = _function(broker, step)
            # The same message object may serve for several steps; each of them needs an id of its own.
            message_id = str(uuid.uuid4()) if message.message_id in ids else message.message_id
            ids.add(message_id)
            yield StepSpec(
                name=step.name,
                actor=message.actor_name,
                queue=message.queue_name,
                flags=step.ignore | function.flags,
                deps=step.deps,
                position=position,
                message_id=message_id,
                content=_content(step),
                refs=step.refs,
                delay=step.delay,
                quorum=step.quorum,
                lane=function.lane_of(message),
            )


def _delay(delay: Duration | None, name: str) -> int:
    return 0 if delay is None else to_ms(delay, name=name, most=MAX_DELAY)


def one_or_many(deps: Any) -> list[Any]:
    """What is given as ``deps=``, as a list."""
    if isinstance(deps, str | StepRef):
        return [deps]
    try:
        return list(deps)
    except TypeError:
        raise UnknownStep(
            f"deps must be a step's name, what add() returned, or several of those, not {type(deps).__name__}"
        ) from None


def _function(broker: Broker, step: _Added) -> StepFunction:
    name = step.message.actor_name
    try:
        function = step_function(broker.get_actor(name))
    except ActorNotFound:
        raise NotAWorkflowActor(
            f"actor {name!r} of step {step.name!r} isn't declared on the broker that runs the workflow"
        ) from None
    if function is None:
        raise NotAWorkflowActor(
            f"actor {name!r} of step {step.name!r} isn't a workflow actor; declare it with @workflow_actor"
        )
    return function


def _content(step: _Added) -> Content | Json:
    """A message's content as Dramatiq's encoder brings it to a worker: in JSON, an enum becomes text."""
    encoder, options = get_encoder(), step.message.options
    try:
        if type(encoder) is JSONEncoder:
            arguments = _as_json({"args": step.args, "kwargs": step.kwargs})
            return Json(arguments[1:-1], _as_json(options)[1:-1] if options else "")
        data: MessageData = {"args": step.args, "kwargs": step.kwargs, "options": options}
        arrived = encoder.decode(encoder.encode(data))
        return Content(arrived["args"], arrived["kwargs"], arrived["options"])
    except Exception as error:
        raise ResultNotSerializable(
            f"the message of step {step.name!r} can't be encoded for the broker: {error}"
        ) from error
