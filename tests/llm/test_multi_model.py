"""``multi_model``: several models are asked at once, and a synthesis is given what they answered."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import StepState, WorkflowExists, WorkflowState
from dramatiq_baton.llm import multi_model
from dramatiq_baton.store.store import Address
from tests.support.by_hand import ByHand
from tests.support.world import World

#: As providers call theirs.
MODELS = ["openai/gpt-4.1:latest", "claude", "llama 3.3"]
#: How a model's step may fail.
FAILURES = [["discard", "no key"], ["cancel", "not today"]]


def voting(world: World, *, models: Any = ("a", "b", "c"), **options: Any) -> Any:
    """A workflow that asks models, of which nothing runs but by hand."""
    flow = world.flow(**options.pop("flow", {}))
    multi_model(
        flow,
        "vote",
        world.actors.act_as_model.message({}),
        models=models,
        synthesize=world.actors.synthesize,
        **options,
    )
    return flow


# Answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_each_model_is_asked_and_the_synthesis_gets_the_answers_by_model(world: World, dispatch: str) -> None:
    flow = world.flow()
    answers = multi_model(
        flow,
        "vote",
        world.actors.act_as_model.message({}, "why?"),
        models=MODELS,
        synthesize=world.actors.synthesize,
    )
    flow.add("after", world.act(inputs=[answers.synthesis, answers.by_model["claude"]]))
    run = world.finish(flow, dispatch=dispatch)
    expected = {model: [model, "why?"] for model in MODELS}
    assert run.results() == {
        **{f"vote.{model}": answer for model, answer in expected.items()},
        "vote": expected,
        "after": [expected, ["claude", "why?"]],
    }
    assert list(run.result("vote")) == MODELS
    assert run.status().steps["vote"].deps == tuple(f"vote.{model}" for model in MODELS)


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
@pytest.mark.parametrize("failure", FAILURES, ids=["discarded", "cancelled"])
def test_a_model_that_fails_is_left_out_if_there_is_a_quorum_without_it(
    world: World, dispatch: str, failure: list[Any]
) -> None:
    flow = world.flow()
    orders = {"claude": [failure], "llama 3.3": [["value", None]]}  # None is an answer, too
    multi_model(
        *(flow, "vote", world.actors.act_as_model.message(orders)),
        models=MODELS,
        synthesize=world.actors.synthesize_later,  # its second message leaves it out as well
        quorum=2,
    )
    run = world.finish(flow, dispatch=dispatch)
    assert run.result("vote") == {"openai/gpt-4.1:latest": ["openai/gpt-4.1:latest", None], "llama 3.3": None}
    assert world.events_of(run, "vote")[-4:] == ["executing", "snoozed", "executing", "completed"]


def test_of_many_models_those_that_failed_are_left_out(world: World) -> None:
    models = [f"m{number}" for number in range(70)]  # more results than come along with the gate's answer
    flow = world.flow()
    multi_model(
        *(flow, "vote", world.actors.act_as_model.message({"m3": [FAILURES[0]], "m69": [FAILURES[1]]})),
        models=models,
        synthesize=world.actors.synthesize,
        quorum=68,
    )
    assert list(world.finish(flow).result("vote")) == [m for m in models if m not in ("m3", "m69")]


def test_without_a_synthesis_there_are_the_models_steps_and_nothing_else(world: World) -> None:
    flow = world.flow()
    answers = multi_model(flow, "vote", world.actors.act_as_model.message({}), models=iter(["a", "b"]))
    assert answers.synthesis is None
    flow.add("after", world.act(inputs=answers.by_model))
    run = world.finish(flow)
    assert run.result("after") == {"a": ["a", None], "b": ["b", None]}
    assert set(run.status().steps) == {"vote.a", "vote.b", "after"}


def test_each_model_gets_the_results_in_the_message_and_waits_for_the_deps(world: World) -> None:
    flow = world.flow()
    page = flow.add("page", world.act(["value", "a page"]))
    flow.add("first", world.act())
    message = world.actors.act_as_model.message({}, inputs={"page": [page]})
    multi_model(
        flow, "vote", message, models=["a", "b"], synthesize=world.actors.synthesize, deps=iter(["first"])
    )
    run = world.finish(flow)
    assert run.result("vote") == {model: [model, {"page": ["a page"]}] for model in ("a", "b")}
    assert run.status().steps["vote.b"].deps == ("page", "first")
    assert message.kwargs == {"inputs": {"page": [page]}}


# The quorum ---------------------------------------------------------------------------------------


def test_the_synthesis_waits_for_all_models_though_the_quorum_is_reached(
    own_world: World, by_hand: ByHand
) -> None:
    run = own_world.run(voting(own_world, quorum=1))
    by_hand.complete(run, "vote.a")
    by_hand.discard(run, "vote.b")
    assert run.status().steps["vote"].state is StepState.PENDING
    by_hand.complete(run, "vote.c")
    assert run.status().steps["vote"].state is StepState.QUEUED


def test_a_quorum_that_cannot_be_reached_any_more_cancels_the_synthesis_at_once(
    own_world: World, by_hand: ByHand
) -> None:
    flow = voting(own_world, quorum=2)
    flow.add("after", own_world.act(), deps="vote")
    run = own_world.run(flow)
    by_hand.cancel(run, "vote.a")
    assert run.status().steps["vote"].state is StepState.PENDING
    by_hand.discard(run, "vote.b", "no key")
    reason = (
        "'vote' has a quorum of 2, and 1 of its 3 deps complete at best: dep 'vote.b' was discarded: no key"
    )
    steps = run.status().steps
    assert (steps["vote"].state, steps["vote"].reason) == (StepState.CANCELLED, reason)
    assert (steps["after"].state, steps["after"].reason) == (StepState.CANCELLED, reason)
    by_hand.complete(run, "vote.c")
    assert own_world.events_of(run, "vote") == ["cancelled"]


def test_without_a_quorum_all_models_must_answer_whatever_the_workflow_ignores(
    own_world: World, by_hand: ByHand
) -> None:
    run = own_world.run(voting(own_world, flow={"ignore_discarded": True, "ignore_cancelled": True}))
    by_hand.cancel(run, "vote.c")
    assert run.status().steps["vote"].state is StepState.CANCELLED


def test_the_models_steps_ignore_what_the_workflow_ignores(own_world: World, by_hand: ByHand) -> None:
    flow = voting(own_world, deps="first", flow={"ignore_discarded": True})
    flow.add("first", own_world.act())
    run = own_world.run(flow)
    by_hand.discard(run, "first")
    assert run.status().steps["vote.a"].state is StepState.QUEUED


@pytest.mark.parametrize("failure", FAILURES, ids=["discarded", "cancelled"])
def test_the_callback_of_the_synthesis_is_told_what_made_its_quorum_unreachable(
    world: World, failure: list[Any]
) -> None:
    flow = world.flow()
    message = world.actors.act_as_model.message({"a": [failure]})
    multi_model(flow, "vote", message, models=["a", "b"], synthesize=world.actors.synthesize)
    run = world.finish(flow)
    how = "discarded" if failure[0] == "discard" else "cancelled"
    assert run.status().steps["vote"].reason.endswith(f"dep 'vote.a' was {how}: {failure[1]}")
    told = [note.split("|")[:2] for note in world.notes(run) if note.startswith("vote|")]
    assert told == [["vote", f"on_dep_{how}"]]


def test_a_result_that_is_gone_is_no_model_that_failed(own_world: World, by_hand: ByHand) -> None:
    run = own_world.run(voting(own_world, quorum=1))
    for model in "abc":
        by_hand.complete(run, f"vote.{model}")
    own_world.redis.hdel(f"{own_world.namespace}:workflow:{{{run.id}}}:results", "vote.b")
    claim = by_hand.store.claim(
        *(Address(run.id, "vote"),),
        holder="h",
        seq=0,
        delay=5,
        max_rescues=1,
        worker="w",
        wanted=("vote.a", "vote.b", "vote.c"),
    )
    assert claim.word == "cancelled"
    assert run.status().steps["vote"].reason == "the result of dep 'vote.b' is gone"


def test_the_quorum_is_part_of_the_graph(own_world: World) -> None:
    flows = [voting(own_world, quorum=quorum) for quorum in (2, 2, 1)]
    for flow in flows:
        flow.id = "one"
    assert own_world.run(flows[0]).created
    assert not own_world.run(flows[1]).created
    with pytest.raises(WorkflowExists):
        own_world.run(flows[2])


# Retrying -----------------------------------------------------------------------------------------


def test_a_retry_asks_the_model_that_failed_again_and_the_synthesis_gets_all_answers(world: World) -> None:
    flow = world.flow()
    orders = {"a": [FAILURES[0], ["value", "second thoughts"]]}
    multi_model(
        *(flow, "vote", world.actors.act_as_model.message(orders)),
        models=[*MODELS, "a"],
        synthesize=world.actors.synthesize,
    )
    run = world.finish(flow)
    assert run.status().state is WorkflowState.FAILED
    assert run.status().steps["vote"].state is StepState.CANCELLED
    assert run.retry() == 2
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.result("vote") == {**{model: [model, None] for model in MODELS}, "a": "second thoughts"}
    assert {world.runs_of(run, f"vote.{model}") for model in MODELS} == {1}


def test_after_a_retry_failures_are_counted_anew(own_world: World, by_hand: ByHand) -> None:
    run = own_world.run(voting(own_world, models=["a", "b", "c", "d"], quorum=2))
    by_hand.complete(run, "vote.d")
    for model in "abc":
        by_hand.discard(run, f"vote.{model}")
    by_hand.store.callback_done(Address(run.id, "vote"), by_hand.claim(run, "vote").token)
    assert run.retry() == 4
    tokens = {model: by_hand.claim(run, f"vote.{model}", seq=1).token for model in "abc"}
    by_hand.settle(run, "vote.a", tokens["a"], StepState.DISCARDED)
    by_hand.settle(run, "vote.b", tokens["b"], StepState.CANCELLED)
    assert run.status().steps["vote"].state is StepState.PENDING
    by_hand.settle(run, "vote.c", tokens["c"], StepState.COMPLETED)
    assert run.status().steps["vote"].state is StepState.QUEUED


def test_a_synthesis_that_has_completed_stays_when_its_missing_model_is_asked_again(world: World) -> None:
    flow = world.flow()
    message = world.actors.act_as_model.message({"a": [FAILURES[0], ["value", "late"]]})
    multi_model(flow, "vote", message, models=["a", "b"], synthesize=world.actors.synthesize, quorum=1)
    run = world.finish(flow)
    assert run.retry() == 1
    run.wait(timeout=30_000)
    assert run.results() == {"vote.a": "late", "vote.b": ["b", None], "vote": {"b": ["b", None]}}
