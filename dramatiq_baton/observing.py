"""Observers: told of what becomes of workflows and steps, and of what this process does for them.

Metrics and traces are observers (:mod:`dramatiq_baton.instrumentation`); your own are subclasses of :class:`Observer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import ConfigurationError
from .logs import get_logger
from .states import StepState, WorkflowState

#: What is carried from one process to another: short texts by name, as in the headers of a request.
Words = Mapping[str, str]

T = TypeVar("T", bound="Submission | Execution")

log = get_logger()


@dataclass(frozen=True, slots=True)
class WorkflowStart:
    """A workflow was submitted, or is retried.

    Attributes:
      workflow_id: Its id.
      workflow_name: Its name.
    """

    workflow_id: str
    workflow_name: str


@dataclass(frozen=True, slots=True)
class WorkflowEnd:
    """A workflow has finished.

    Attributes:
      workflow_id: Its id.
      workflow_name: Its name.
      state: ``completed``, ``failed`` or ``cancelled``.
      duration: Milliseconds since it was submitted or, if it was retried, since then.
      words: What its submission carries.
    """

    workflow_id: str
    workflow_name: str
    state: WorkflowState
    duration: int
    words: Words


@dataclass(frozen=True, slots=True)
class StepRescue:
    """The worker of a step died or lost touch while it ran it. What becomes of the step then is told besides.

    Attributes:
      workflow_id: The workflow's id.
      workflow_name: The workflow's name.
      step: The step's name.
      actor: Its actor.
      queue: Its queue.
      attempt: How often it had been started.
    """

    workflow_id: str
    workflow_name: str
    step: str
    actor: str
    queue: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step has changed its state.

    Attributes:
      workflow_id: The workflow's id.
      workflow_name: The workflow's name.
      step: The step's name.
      actor: Its actor.
      queue: Its queue.
      attempt: How often it has been started.
      state: Its state now: ``executing``, ``snoozed``, ``retryable``, ``completed``, ``discarded`` or ``cancelled``. A
        step that is given back to its queue is ``snoozed`` for no time.
      duration: How long the execution took that ended so, in milliseconds; ``None`` if none did, or nobody knows.
      wait: How long a worker let it wait that is ``executing`` now, in milliseconds: since its deps have settled, or
        its delay was over. ``None`` if it didn't stand in a queue.
    """

    workflow_id: str
    workflow_name: str
    step: str
    actor: str
    queue: str
    attempt: int
    state: StepState
    duration: int | None = None
    wait: int | None = None


News = WorkflowStart | WorkflowEnd | StepRescue | StepChange


@dataclass(slots=True, eq=False)
class Submission:
    """A call of ``run()`` in this process.

    Attributes:
      workflow_id: The workflow's id.
      workflow_name: The workflow's name.
      steps: How many there are.
      created: Whether it started the workflow, rather than finding it there; known when it has ended.
      words: What it carries, as JSON.
    """

    workflow_id: str
    workflow_name: str
    steps: int
    created: bool = False
    words: str = ""


@dataclass(slots=True, eq=False)
class Execution:
    """An actor that runs for a step, in this process.

    Attributes:
      workflow_id: The workflow's id.
      workflow_name: The workflow's name.
      step: The step's name.
      actor: Its actor.
      queue: Its queue.
      attempt: The number of this execution, from 1.
      submitted: What the workflow's submission carries.
      deps: What the executions carry that completed its deps, of up to 100 of them.
      words: What it carries itself, as JSON.
    """

    workflow_id: str
    workflow_name: str
    step: str
    actor: str
    queue: str
    attempt: int
    submitted: Words = field(default_factory=dict)
    deps: Sequence[Words] = ()
    words: str = ""


class Observer:
    """Told of what happens. Subclass it, and write those methods that you need; here they do nothing.

    What has changed is told by the process whose script made the change, as soon as it has the script's reply, once: to
    find it out costs no command. If the reply or the process is lost, it isn't told. The methods are called in threads
    of workers, in the rescue's thread, and where ``run()``, ``cancel()`` and ``retry()`` are called, also in event
    loops: they must be quick and safe for threads. What they raise is logged and changes nothing.

    Attributes:
      carries: Whether it carries words from submissions and executions to those behind them. That costs a read for
        each execution, and some bytes for each step that others depend on.
    """

    carries = False

    def starting(self) -> None:
        """A worker is about to start in this process."""

    def workflow_started(self, start: WorkflowStart) -> None:
        """A workflow was submitted, or is retried."""

    def workflow_finished(self, end: WorkflowEnd) -> None:
        """A workflow has finished."""

    def step_changed(self, change: StepChange) -> None:
        """A step has changed its state."""

    def step_rescued(self, rescue: StepRescue) -> None:
        """The worker of a step died or lost touch."""

    def before_submit(self, submission: Submission) -> Words:
        """``run()`` is about to submit a workflow.

        Returns:
          What executions of its steps get as :attr:`.Execution.submitted`.
        """
        return {}

    def after_submit(self, submission: Submission, error: BaseException | None) -> None:
        """``run()`` has ended, in the same thread and task; with ``error`` if it raises one."""

    def before_actor(self, execution: Execution) -> Words:
        """An actor is about to be called, in this thread.

        Returns:
          What executions of dependents get as one of :attr:`.Execution.deps`, if this one completes its step.
        """
        return {}

    def after_actor(self, execution: Execution, error: BaseException | None) -> None:
        """The actor has returned, in the same thread; or raised ``error``."""

    def execution_recorded(self, execution: Execution, state: StepState | None, reason: str) -> None:
        """It is written down what has become of the step.

        Parameters:
          execution: The execution, the actor of which was called before.
          state: The step's state, ``queued`` if it was given back; ``None`` if the execution had no say any more: its
            lease was lost, or the workflow cancelled.
          reason: Why, where there is something to say.
        """


class Observers:
    """Calls observers, and logs what they raise.

    Parameters:
      observers: They are called in this order.

    Raises:
      ConfigurationError: If they aren't observers.
    """

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        try:
            self.all = tuple(observers)
        except TypeError:
            raise ConfigurationError(f"observers must be a list of them, not {observers!r:.80}") from None
        for observer in self.all:
            if not isinstance(observer, Observer):
                raise ConfigurationError(
                    f"observers must be objects of subclasses of Observer; {observer!r:.80} isn't one"
                )
        #: Whether one of them carries words.
        self.carry = any(observer.carries for observer in self.all)
        self._failed: set[tuple[str, type[Exception]]] = set()  #: what was logged

    def __bool__(self) -> bool:
        return bool(self.all)

    def starting(self) -> None:
        """A worker is about to start in this process."""
        for observer in self.all:
            self._call(observer.starting)

    def tell(self, news: Sequence[News]) -> None:
        """Tell what has changed."""
        for each in news:
            for observer in self.all:
                match each:
                    case StepChange():
                        self._call(observer.step_changed, each)
                    case StepRescue():
                        self._call(observer.step_rescued, each)
                    case WorkflowStart():
                        self._call(observer.workflow_started, each)
                    case WorkflowEnd():
                        self._call(observer.workflow_finished, each)

    def submitting(self, submission: Submission) -> AbstractContextManager[None]:
        """While this lasts, a workflow is submitted."""
        if not self.all:
            return nullcontext()
        before = [observer.before_submit for observer in self.all]
        return self._during(submission, before, [observer.after_submit for observer in self.all])

    def executing(self, execution: Execution) -> AbstractContextManager[None]:
        """While this lasts, an actor runs."""
        before = [observer.before_actor for observer in self.all]
        return self._during(execution, before, [observer.after_actor for observer in self.all])

    def recorded(self, execution: Execution, state: StepState | None, reason: str) -> None:
        """Tell that it is written down what has become of an execution's step."""
        for observer in self.all:
            self._call(observer.execution_recorded, execution, state, reason)

    @contextmanager
    def _during(
        self,
        about: T,
        before: Iterable[Callable[[T], Words]],
        after: Iterable[Callable[[T, BaseException | None], None]],
    ) -> Iterator[None]:
        error = None
        try:
            words: dict[str, str] = {}
            for hook in before:
                self._call(_gather, words, hook, about, name=hook.__qualname__)
            about.words = json.dumps(words, separators=(",", ":")) if words else ""
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            for told in after:
                self._call(told, about, error)
            del error  # else it, its traceback and this frame would hold one another

    def _call(self, hook: Callable[..., Any], *args: Any, name: str = "") -> None:
        try:
            hook(*args)
        except Exception as error:
            kind = (name or hook.__qualname__, type(error))
            if kind not in self._failed:  # once is enough, however many steps there are
                self._failed.add(kind)
                log.exception("an observer failed; that changes nothing, and is logged but once")


def words_from(text: str) -> Words:
    """Read what was carried. What can't be read is taken for nothing: it is of no use but to observers."""
    try:
        words = json.loads(text or "{}")
        return {str(name): str(value) for name, value in words.items()}
    except (ValueError, AttributeError):
        return {}


def _gather(words: dict[str, str], hook: Callable[[T], Words], about: T) -> None:
    words.update({str(name): str(value) for name, value in hook(about).items()})
