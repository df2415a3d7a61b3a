"""The graph alone, without Dramatiq and Redis: checks, links and the digest."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dramatiq_baton import CycleError, EmptyWorkflow, UnknownStep
from dramatiq_baton.graph import Content, Graph, Json, StepFlags, StepSpec

quickly = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))

Deps = dict[str, tuple[str, ...]]

NAMES = ["a", "b", "c", "d", "e", "f", "g"]


def spec(name: str, deps: Sequence[str] = (), position: int = 0, **more: Any) -> StepSpec:
    defaults: dict[str, Any] = {
        "actor": "act",
        "queue": "q",
        "flags": StepFlags.NONE,
        "message_id": f"id of {name}",
        "content": Content((), {}, {}),
    }
    return StepSpec(name=name, deps=tuple(deps), position=position, **(defaults | more))


def graph_of(deps: Mapping[str, Sequence[str]]) -> Graph:
    return Graph.of([spec(name, of, at) for at, (name, of) in enumerate(deps.items())], workflow="flow")


@st.composite
def any_deps(draw: st.DrawFn) -> Deps:
    """Any edges at all: forwards, backwards, to itself."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    several = st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple)
    return {name: draw(several) for name in names}


@st.composite
def acyclic_deps(draw: st.DrawFn) -> Deps:
    """Edges from later to earlier names, the steps added in any order."""
    names = draw(st.permutations(NAMES))
    deps = {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=3)) if at else ())
        for at, name in enumerate(names)
    }
    return {name: deps[name] for name in draw(st.permutations(names))}


def has_cycle(deps: Deps) -> bool:
    """By depth-first search: whether a step is met again on the way from itself."""

    def meets(name: str, way: frozenset[str]) -> bool:
        return name in way or any(meets(dep, way | {name}) for dep in deps[name])

    return any(meets(name, frozenset()) for name in deps)


# Checks -----------------------------------------------------------------------------------------


@quickly
@given(any_deps())
def test_a_cycle_is_found_exactly_where_a_search_finds_one(deps: Deps) -> None:
    if not has_cycle(deps):
        graph_of(deps)
        return
    with pytest.raises(CycleError) as caught:
        graph_of(deps)
    cycle = [part.strip(" '") for part in str(caught.value).rpartition(":")[2].split("->")]
    assert cycle[0] == cycle[-1]
    assert len(cycle) > 1
    assert all(dep in deps[name] for dep, name in pairwise(cycle))


@quickly
@given(any_deps(), st.sampled_from(NAMES))
def test_a_dep_that_is_no_step_is_found_wherever_it_stands(deps: Deps, missing: str) -> None:
    used = any(missing in of for name, of in deps.items() if name != missing)
    assume(used and missing in deps)
    del deps[missing]
    with pytest.raises(UnknownStep, match=f"depends on '{missing}'"):
        graph_of(deps)


def test_no_steps_are_no_graph() -> None:
    with pytest.raises(EmptyWorkflow):
        graph_of({})


def test_a_chain_of_20_000_steps_added_backwards_is_no_cycle() -> None:
    deps = {str(number): [str(number + 1)] for number in range(20_000)} | {"20000": []}
    assert graph_of(deps).roots == ["20000"]


# Links ------------------------------------------------------------------------------------------


@quickly
@given(acyclic_deps())
def test_dependents_are_the_deps_turned_round_and_roots_have_none(deps: Deps) -> None:
    graph = graph_of(deps)
    forwards = {(dep, name) for name, of in deps.items() for dep in of}
    backwards = [(dep, name) for dep, names in graph.dependents.items() for name in names]
    assert sorted(backwards) == sorted(forwards)
    assert graph.roots == [name for name, of in deps.items() if not of]
    assert [step.name for step in graph.steps] == list(deps)


# The digest -------------------------------------------------------------------------------------

texts = st.sampled_from(["", "x", "y"])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 1) | st.just(1.0) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def steps(draw: st.DrawFn) -> list[StepSpec]:
    names = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True))
    return [
        spec(
            name,
            draw(st.lists(st.sampled_from(names[:at]), unique=True) if at else st.just([])),
            at,
            actor=draw(st.sampled_from(["act", "other"])),
            queue=draw(st.sampled_from(["q", "p"])),
            flags=draw(st.sampled_from([StepFlags.NONE, StepFlags.IGNORE_CANCELLED])),
            content=Content(
                draw(st.lists(values, max_size=1)),
                draw(st.dictionaries(texts, values, max_size=2)),
                draw(st.dictionaries(texts, values, max_size=1)),
            ),
            refs=draw(st.sampled_from([(), ((("args", 0), "a"),), ((("kwargs", "x"), "a"),)])),
        )
        for at, name in enumerate(names)
    ]


def as_json(step: StepSpec) -> StepSpec:
    assert isinstance(step.content, Content)
    args, kwargs, options = step.content
    arguments = json.dumps({"args": args, "kwargs": kwargs}, separators=(",", ":"))
    return replace(step, content=Json(arguments[1:-1], json.dumps(options)[1:-1]))


def digest(steps: Sequence[StepSpec], *, encoded: bool = True) -> str:
    steps = [as_json(step) for step in steps] if encoded else steps
    return Graph.of(steps, workflow="flow").digest


def plain(steps: Sequence[StepSpec]) -> str:
    """All that makes a graph, as text in which 1, 1.0 and true differ."""
    table = {
        step.name: [
            step.actor, step.queue, int(step.flags), sorted(step.deps), *step.content,
            sorted(map(repr, step.refs)),
        ]
        for step in steps
    }  # fmt: skip
    return json.dumps(table, sort_keys=True)


@quickly
@given(steps(), steps(), st.booleans())
def test_two_digests_are_the_same_exactly_if_the_graphs_are(
    one: list[StepSpec], two: list[StepSpec], encoded: bool
) -> None:
    assert (digest(one, encoded=encoded) == digest(two, encoded=encoded)) is (plain(one) == plain(two))


@quickly
@given(steps(), st.data())
def test_any_change_of_one_step_changes_the_digest(before: list[StepSpec], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(before) - 1))
    change = data.draw(
        st.sampled_from(["actor", "queue", "flags", "args", "kwargs", "options", "refs", "deps"])
    )
    args, kwargs, options = before[at].content
    new: Any = {
        "actor": "third",
        "queue": "third",
        "flags": StepFlags.ON_DEP_DISCARDED,
        "args": Content([*args, "more"], kwargs, options),
        "kwargs": Content(args, {**kwargs, "more": 1}, options),
        "options": Content(args, kwargs, {**options, "more": 1}),
        "refs": (*before[at].refs, (("args", 5), "b")),
        "deps": (*before[at].deps, "new"),
    }[change]
    base = [*before, spec("new")]
    field = "content" if isinstance(new, Content) else change
    after = [*before[:at], replace(before[at], **{field: new}), *before[at + 1 :], spec("new")]
    encoded = data.draw(st.booleans())
    assert digest(after, encoded=encoded) != digest(base, encoded=encoded)


@quickly
@given(steps(), st.randoms(use_true_random=False), st.booleans())
def test_the_digest_does_not_know_the_order_in_which_a_graph_was_written_down(
    before: list[StepSpec], chance: random.Random, encoded: bool
) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in chance.sample(list(value), len(value))}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    after = [
        replace(
            step,
            position=99 - step.position,
            message_id="another",
            deps=tuple(chance.sample(step.deps, len(step.deps))),
            content=Content(*map(shuffled, step.content)),
        )
        for step in chance.sample(before, len(before))
    ]
    assert digest(after, encoded=encoded) == digest(before, encoded=encoded)


def test_parts_of_a_step_do_not_run_into_one_another() -> None:
    def of(name: str, arg: Any) -> str:
        return digest([spec(name, content=Content([arg], {}, {}))])

    assert of("ab", "c") != of("a", "bc")
    assert digest([spec("a"), spec("b")]) != digest([spec("a", ["b"]), spec("b")])
    assert of("a", {"k": 1}) != of("a", ["k", 1])
