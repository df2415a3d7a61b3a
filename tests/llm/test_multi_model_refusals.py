"""What ``multi_model`` refuses: with one clear error, and before anything is added."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import (
    ConfigurationError,
    DuplicateStep,
    InvalidName,
    NotAWorkflowActor,
    ResultNotSerializable,
    UnknownStep,
    Workflow,
    workflow_actor,
)
from dramatiq_baton.llm import llm_actor, multi_model

broker = StubBroker()


@llm_actor(broker=broker)
def ask(prompt: Any, model: str = "") -> str:
    return model


@workflow_actor(broker=broker)
def best_of(answers: dict[str, str]) -> str:
    return max(answers)


@dramatiq.actor(broker=broker)
def plain(answers: dict[str, str]) -> None: ...


def refused(error: type[Exception], **options: Any) -> str:
    """The error of such a call, of a workflow that is left as it was."""
    flow = Workflow("flow")
    before = [flow.add(name, ask.message("x")) for name in ("there", "there.a")]
    call = {"name": "vote", "message": ask.message("why?"), "models": ["a", "b"], "synthesize": best_of}
    with pytest.raises(error) as caught:
        multi_model(flow, **(call | options))
    assert len(flow) == len(before)
    return str(caught.value)


@pytest.mark.parametrize(
    ("models", "error", "text"),
    [
        ([], ConfigurationError, "models of 'vote' must name at least one model"),
        ("gpt", ConfigurationError, "models of 'vote' must be several names, not the one text 'gpt'"),
        (None, ConfigurationError, "models of 'vote' must be several names, not NoneType"),
        (["a", "b", "a"], DuplicateStep, "models of 'vote' names 'a' twice; ask each model once"),
        (["a", 5], InvalidName, "a model of 'vote' must be a str, not int 5"),
        (["a", ""], InvalidName, "a model of 'vote' must not be empty"),
        (["a", "b\n"], InvalidName, "a model of 'vote' 'b\\n' has the control character '\\n' at 1"),
        (["a", "b" * 199], InvalidName, "a step's name has 204 characters, at most 200 are allowed"),
    ],
    ids=["none", "one text", "no names", "twice", "a number", "empty", "control character", "too long"],
)
def test_models_that_cannot_be_asked_are_refused(models: Any, error: type[Exception], text: str) -> None:
    assert refused(error, models=models) == text


@pytest.mark.parametrize("quorum", [0, -1, 3, True, 1.0, "2"])
def test_a_quorum_that_cannot_be_is_refused(quorum: Any) -> None:
    assert refused(ConfigurationError, quorum=quorum) == (
        f"the quorum of 'vote' must be a whole number from 1 to 2, as many as there are models, not {quorum!r}"
    )


def test_a_quorum_without_a_synthesis_is_refused() -> None:
    assert refused(ConfigurationError, synthesize=None, quorum=1) == (
        "the quorum of 'vote' says when to run a synthesis; give synthesize= an actor, or no quorum"
    )


@pytest.mark.parametrize("synthesize", [best_of.message({}), max], ids=["a message", "a function"])
def test_a_synthesis_by_what_is_no_actor_is_refused(synthesize: Any) -> None:
    assert refused(NotAWorkflowActor, synthesize=synthesize) == (
        "synthesize of 'vote' must be a workflow actor, to be called with the answers, "
        f"not {type(synthesize).__name__}"
    )


def test_a_synthesis_by_a_plain_actor_is_refused() -> None:
    assert refused(NotAWorkflowActor, synthesize=plain) == (
        "actor 'plain', the synthesize of 'vote', isn't a workflow actor; declare it with @workflow_actor"
    )


def test_what_is_no_message_is_refused() -> None:
    assert refused(NotAWorkflowActor, message=ask) == (
        "the models of 'vote' need a message, as actor.message(...) makes it, not Actor"
    )


def test_a_message_that_names_a_model_is_refused() -> None:
    assert refused(ConfigurationError, message=ask.message("why?", model="a")) == (
        "the message for the models of 'vote' has the argument 'model' already; leave it out: "
        "each model's step is given its own"
    )


@pytest.mark.parametrize(
    ("name", "taken"), [("there", "there.a"), ("there", "there")], ids=["of a model", "of the synthesis"]
)
def test_a_name_that_is_taken_is_refused(name: str, taken: str) -> None:
    models = ["a", "b"] if taken == "there.a" else ["b", "c"]
    text = refused(DuplicateStep, name=name, models=models)
    assert text == f"workflow 'flow' has a step '{taken}' already; names are unique"


def test_a_name_that_cannot_be_is_refused() -> None:
    assert refused(InvalidName, name=None) == "a step's name must be a str, not NoneType None"


def test_steps_of_another_workflow_are_refused() -> None:
    other = Workflow("other").add("x", ask.message("x"))
    assert "of another workflow, 'other'" in refused(UnknownStep, deps=other)
    assert "of another workflow, 'other'" in refused(UnknownStep, message=ask.message(other))
    assert "a dep of step 'vote.a' must be" in refused(UnknownStep, deps=[1])


def test_a_message_that_holds_itself_is_refused() -> None:
    prompt: list[Any] = []
    prompt.append(prompt)
    assert "holds itself" in refused(ResultNotSerializable, message=ask.message(prompt))
