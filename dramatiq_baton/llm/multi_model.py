"""``multi_model``: the same question to several models at once, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from dramatiq import Actor, Message

from ..actors import step_function
from ..errors import ConfigurationError, DuplicateStep, NotAWorkflowActor
from ..names import check_name
from ..outcomes import Cancel, Discard, Snooze
from ..workflow import StepRef, Workflow, one_or_many

T = TypeVar("T")
S = TypeVar("S")
_A = TypeVar("_A", contravariant=True)
_R = TypeVar("_R", covariant=True)

#: The keyword argument that tells the actor which model to ask.
MODEL = "model"


class Synthesize(Protocol[_A, _R]):
    """A workflow actor that is called with the answers. To a type checker only."""

    def message(self, answers: _A, /) -> Message[_R]: ...


@dataclass(frozen=True, slots=True)
class Answers(Generic[T, S]):
    """The steps that :func:`multi_model` added; each stands for its result, as what ``Workflow.add`` returns does.

    Attributes:
      by_model: The steps that ask, by model.
      synthesis: The step that is given their answers; ``None`` if there is none.
    """

    by_model: dict[str, T]
    synthesis: S


@overload
def multi_model(
    flow: Workflow,
    name: str,
    message: Message[T | Snooze | Discard | Cancel],
    *,
    models: Iterable[str],
    synthesize: None = None,
    deps: Any = (),
) -> Answers[T, None]: ...


@overload
def multi_model(
    flow: Workflow,
    name: str,
    message: Message[T | Snooze | Discard | Cancel],
    *,
    models: Iterable[str],
    synthesize: Synthesize[dict[str, T], S | Snooze | Discard | Cancel],
    quorum: int | None = None,
    deps: Any = (),
) -> Answers[T, S]: ...


def multi_model(
    flow: Workflow,
    name: str,
    message: Message[Any],
    *,
    models: Iterable[str],
    synthesize: Any = None,
    quorum: int | None = None,
    deps: Any = (),
) -> Answers[Any, Any]:
    """Ask several models the same, in parallel, and have one actor make something of their answers.

    Examples:

      >>> @llm_actor
      ... def ask(prompt: str, model: str = "") -> str: ...
      >>> @workflow_actor
      ... def best_of(answers: dict[str, str]) -> str: ...
      >>> answers = multi_model(
      ...     flow, "review", ask.message(text), models=["gpt-5", "claude", "llama"], synthesize=best_of, quorum=2
      ... )
      >>> flow.add("publish", publish.message(answers.synthesis))

    Adds a step ``<name>.<model>`` for each model, and the step ``name`` that is given, once all of them have
    settled, the answers as a dict by model, in the order of ``models``. A model that failed, whether discarded or
    cancelled, isn't in it. As soon as so many failed that ``quorum`` can't be reached, the synthesis is cancelled;
    whether its workflow ignores failed deps doesn't matter there.

    A ``retry()`` of the workflow asks the models that failed once more. A synthesis that has completed stays as it is.

    Parameters:
      flow: The workflow to which the steps are added: all of them, or none if anything is wrong.
      name: The name of the synthesis, and the first part of the names of the others.
      message: What each model is asked, as ``actor.message(...)`` makes it. The actor is given the keyword argument
        ``model`` besides; with a default for it, a type checker accepts a message that leaves it out. Other steps may
        stand in it as in a message for ``Workflow.add``.
      models: Their names; any text that may name a step.
      synthesize: A workflow actor to call with the dict. Without it there are only the models' steps.
      quorum: How many models must answer; all of them if not given.
      deps: More steps that must settle before a model is asked, as ``Workflow.add`` takes them.

    Returns:
      The steps; see :class:`Answers`.

    Raises:
      InvalidName: If the name, or that of a model, can't be used.
      DuplicateStep: If there is a step of one of the names, or a model is named twice.
      NotAWorkflowActor: If ``message`` isn't a Dramatiq message, or ``synthesize`` isn't a workflow actor.
      ConfigurationError: If there are no models, the message says which model to ask, or the quorum can't be used.
      UnknownStep: If a ref or a dep belongs to another workflow.
      ResultNotSerializable: If an argument holds itself.
    """
    check_name(name, what="a step's name")
    asked = _checked(models, name)
    if not isinstance(message, Message):
        raise NotAWorkflowActor(
            f"the models of {name!r} need a message, as actor.message(...) makes it, not {type(message).__name__}"
        )
    if MODEL in message.kwargs:
        raise ConfigurationError(
            f"the message for the models of {name!r} has the argument {MODEL!r} already; leave it out: "
            "each model's step is given its own"
        )
    needed = _quorum(quorum, asked, name, synthesize)
    named = one_or_many(deps)  # an iterator would be used up by the first step
    refs = {model: StepRef(flow, f"{name}.{model}") for model in asked}
    steps = [
        flow._prepared(ref.name, message.copy(kwargs={**message.kwargs, MODEL: model}), deps=named)
        for model, ref in refs.items()
    ]
    if synthesize is not None:
        steps.append(flow._prepared(name, _actor(synthesize, name).message(refs), quorum=needed))
    flow._put(*steps)
    return Answers(cast(dict[str, Any], refs), None if synthesize is None else StepRef(flow, name))


def _checked(models: Iterable[str], name: str) -> list[str]:
    if isinstance(models, str):
        raise ConfigurationError(f"models of {name!r} must be several names, not the one text {models!r}")
    try:
        found = list(models)
    except TypeError:
        raise ConfigurationError(
            f"models of {name!r} must be several names, not {type(models).__name__}"
        ) from None
    if not found:
        raise ConfigurationError(f"models of {name!r} must name at least one model")
    for model in found:
        check_name(model, what=f"a model of {name!r}")
        if found.count(model) > 1:
            raise DuplicateStep(f"models of {name!r} names {model!r} twice; ask each model once")
    return found


def _quorum(quorum: int | None, models: list[str], name: str, synthesize: object) -> int:
    """How many models must answer."""
    if quorum is None:
        return len(models)
    if synthesize is None:
        raise ConfigurationError(
            f"the quorum of {name!r} says when to run a synthesis; give synthesize= an actor, or no quorum"
        )
    if not isinstance(quorum, int) or isinstance(quorum, bool) or not 1 <= quorum <= len(models):
        raise ConfigurationError(
            f"the quorum of {name!r} must be a whole number from 1 to {len(models)}, as many as there are models, "
            f"not {quorum!r}"
        )
    return quorum


def _actor(synthesize: object, name: str) -> Actor[Any, Any]:
    if not isinstance(synthesize, Actor):
        raise NotAWorkflowActor(
            f"synthesize of {name!r} must be a workflow actor, to be called with the answers, "
            f"not {type(synthesize).__name__}"
        )
    if step_function(synthesize) is None:
        raise NotAWorkflowActor(
            f"actor {synthesize.actor_name!r}, the synthesize of {name!r}, isn't a workflow actor; "
            "declare it with @workflow_actor"
        )
    return synthesize
