"""``result()`` and ``results()``: what they give, and what they say where there is nothing."""

from __future__ import annotations

import pytest

from dramatiq_baton import BatonError, ResultMissing, UnknownStep
from tests.support.by_hand import ByHand
from tests.support.world import World


def test_a_result_is_found_by_the_steps_name_or_by_what_add_returned(
    own_world: World, by_hand: ByHand
) -> None:
    flow = own_world.flow()
    ref = flow.add("a", own_world.act())
    run = own_world.run(flow)
    by_hand.complete(run, "a", {"x": [1, None]})
    assert run.result("a") == run.result(ref) == {"x": [1, None]}


def test_none_false_and_empty_are_results(own_world: World, by_hand: ByHand) -> None:
    values = {"none": None, "false": False, "zero": 0, "text": "", "list": [], "dict": {}}
    flow = own_world.flow()
    for name in values:
        flow.add(name, own_world.act())
    run = own_world.run(flow)
    for name, value in values.items():
        by_hand.complete(run, name, value)
    assert run.results() == values
    assert {name: run.result(name) for name in values} == values


def test_results_are_those_of_the_completed_steps_only(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    for name in ("done", "discarded", "cancelled", "running", "queued"):
        flow.add(name, own_world.act())
    run = own_world.run(flow)
    assert run.results() == {}
    by_hand.complete(run, "done", 1)
    by_hand.discard(run, "discarded")
    by_hand.cancel(run, "cancelled")
    by_hand.claim(run, "running")
    assert run.results() == {"done": 1}


def test_a_missing_result_tells_the_state_of_its_step_and_why(own_world: World, by_hand: ByHand) -> None:
    assert issubclass(ResultMissing, BatonError)
    assert issubclass(ResultMissing, LookupError)
    flow = own_world.flow()
    for name in ("queued", "running", "discarded", "cancelled"):
        flow.add(name, own_world.act())
    flow.add("pending", own_world.act(), deps="queued")
    run = own_world.run(flow)
    by_hand.claim(run, "running")
    by_hand.discard(run, "discarded", "no such page")
    by_hand.cancel(run, "cancelled")
    for name, what in {
        "pending": "pending",
        "queued": "queued",
        "running": "executing",
        "discarded": "discarded: no such page",
        "cancelled": "cancelled: by hand",
    }.items():
        with pytest.raises(ResultMissing) as caught:
            run.result(name)
        assert str(caught.value) == f"step '{name}' of workflow '{run.id}' has no result; it is {what}"


@pytest.mark.parametrize("name", ["b", "", "A", "a ", None, 7])
def test_a_step_that_there_is_not_is_unknown(own_world: World, by_hand: ByHand, name: object) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    with pytest.raises(UnknownStep, match="has no step"):
        run.result(name)
    by_hand.complete(run, "a")
    with pytest.raises(UnknownStep, match="has no step"):
        run.result(name)


def test_many_results_are_all_there(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    for number in range(600):
        flow.add(f"{number}", own_world.act())
    run = own_world.run(flow)
    for number in range(600):
        by_hand.complete(run, f"{number}", number)
    assert run.results() == {f"{number}": number for number in range(600)}
