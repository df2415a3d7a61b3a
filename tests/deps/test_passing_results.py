"""Contract 2: a ref anywhere in a message's arguments is a dep, and the actor gets its result in its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dramatiq_baton import Workflow
from tests.support.lab import Lab
from tests.support.world import World


def test_a_ref_is_a_dep_and_its_result_is_passed(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", {"title": "A page"}]))
    flow.add("b", world.act(inputs=a))
    run = world.finish(flow)
    assert run.status().steps["b"].deps == ("a",)
    assert run.result("b") == {"title": "A page"}
    events = [(event.step, event.event) for event in run.events()]
    assert events.index(("a", "completed")) < events.index(("b", "executing"))


def test_refs_are_found_in_lists_and_dicts_however_deep(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", "A"]))
    b = flow.add("b", world.act(["value", ["B"]]))
    inputs = [a, [b, {"deep": [{"er": a, "other": "text"}], "n": 1}], None, {"b": b}]
    flow.add("c", world.act(inputs=inputs))
    run = world.finish(flow)
    assert run.result("c") == [
        "A",
        [["B"], {"deep": [{"er": "A", "other": "text"}], "n": 1}],
        None,
        {"b": ["B"]},
    ]
    assert run.status().steps["c"].deps == ("a", "b")


def test_refs_are_found_in_tuples_which_arrive_as_lists(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", 1]))
    flow.add("b", world.act(inputs=(a, (a, 2))))
    run = world.finish(flow)
    assert run.result("b") == [1, [1, 2]]


def test_refs_are_found_in_keyword_arguments(lab: Lab) -> None:
    @lab.actor
    def one() -> int:
        return 1

    @lab.actor
    def collect(*args: Any, **kwargs: Any) -> list[Any]:
        return [list(args), kwargs]

    flow = Workflow("flow")
    a = flow.add("a", one.message())
    flow.add("b", collect.message(a, 2, x=a, y={"z": [a]}))
    run = lab.finish(flow)
    assert run.result("b") == [[1, 2], {"x": 1, "y": {"z": [1]}}]


def test_the_same_dep_may_be_passed_many_times(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", [1]]))
    flow.add("b", world.act(inputs=[a, a, {"a": a}]), deps=["a", a])
    run = world.finish(flow)
    assert run.result("b") == [[1], [1], {"a": [1]}]
    assert run.status().steps["b"].deps == ("a",)


def test_a_none_is_passed_as_what_it_is(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", None]))
    flow.add("b", world.act(inputs=[a]))
    run = world.finish(flow)
    assert run.result("b") == [None]


@pytest.mark.parametrize("number", [64, 65, 600])
def test_many_results_are_passed_in_their_order(world: World, number: int) -> None:
    flow = world.flow()
    refs = [flow.add(f"a{i}", world.act(["value", i])) for i in range(number)]
    flow.add("b", world.act(inputs=refs))
    run = world.finish(flow)
    assert run.result("b") == list(range(number))


def test_a_result_is_passed_to_many(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", "shared"]))
    for i in range(120):
        flow.add(f"b{i}", world.act(inputs=a))
    run = world.finish(flow)
    assert all(run.result(f"b{i}") == "shared" for i in range(120))


def test_a_result_keeps_its_type_on_the_way(lab: Lab) -> None:
    value = {"when": datetime(2026, 1, 2, tzinfo=UTC), "pair": (1, 2), "raw": b"\x00\xff", 7: {"set"}}

    @lab.actor
    def make() -> dict[Any, Any]:
        return value

    @lab.actor
    def check(got: dict[Any, Any]) -> bool:
        return got == value and type(got["pair"]) is tuple

    flow = Workflow("flow")
    flow.add("check", check.message(flow.add("make", make.message())))
    assert lab.finish(flow).result("check") is True


def test_a_step_that_runs_again_gets_the_same_arguments(world: World) -> None:
    flow = world.flow()
    a = flow.add("a", world.act(["value", {"list": [1]}]))
    flow.add(
        "b", world.act(["fail", "one"], ["snooze", 0], ["fail", "two"], ["inputs"], inputs=[a, {"a": a}])
    )
    run = world.finish(flow)
    assert run.result("b") == [{"list": [1]}, {"a": {"list": [1]}}]


def test_what_an_actor_does_to_its_arguments_is_not_seen_by_its_next_attempt(lab: Lab) -> None:
    @lab.actor
    def make() -> list[int]:
        return [1]

    @lab.actor
    def spoil(got: list[int], other: dict[str, list[int]]) -> list[Any]:
        answer = [list(got), list(other["x"])]
        got.append(2)
        other["x"].append(3)
        if lab.note("spoilt") < 3:
            raise ValueError("again")
        return answer

    flow = Workflow("flow")
    flow.add("b", spoil.message(flow.add("a", make.message()), {"x": [0]}))
    assert lab.finish(flow).result("b") == [[1], [0]]


def test_a_failed_message_shows_placeholders_not_results(lab: Lab) -> None:
    """Results stay in Redis; messages stay small, and dead letters hold no data of other steps."""

    @lab.actor
    def make() -> str:
        return "secret"

    @lab.actor
    def use(text: str) -> str:
        return text

    flow = Workflow("flow")
    flow.add("b", use.message(flow.add("a", make.message())))
    run = lab.finish(flow)
    assert run.result("b") == "secret"
    assert lab.sent.of("b").args == ("<result of a>",)
