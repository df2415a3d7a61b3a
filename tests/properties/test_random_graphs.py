"""Random graphs on a real worker settle to what a few lines of plain Python say they must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dramatiq_baton import WorkflowRun
from tests.support import story
from tests.support.quorum import add_with_quorum
from tests.support.world import World

#: What a step's actor does, run by run, and how that ends.
COMPLETES = [[], [["fail", "x"]], [["snooze", 1]], [["fail", "x"], ["snooze", 1]], [["rate limit"]]]
DISCARDED = [[["discard", "no"]], [["fail", "x"]] * 3, [["expected", "x"]], [["snooze", 1], ["unstorable"]]]
CANCELLED = [[["cancel", "no"]], [["fail", "x"], ["raise cancel", "no"]]]


@dataclass(frozen=True)
class Plan:
    """A step: what it does, what it waits for, and what it ignores.

    Attributes:
      ends: How its actor ends if it is started.
      orders: What its actor does before that.
      deps: Names of its deps.
      passed: Whether their results are passed as arguments.
      ignore: Which failures of a dep it ignores.
      quorum: How many of its deps must complete; 0 if ``ignore`` says which.
    """

    ends: str
    orders: list[Any]
    deps: list[str]
    passed: bool
    ignore: frozenset[str]
    quorum: int = 0

    def accepts(self, ends: list[str]) -> bool:
        """Whether it runs if its deps end like that."""
        if self.quorum:
            return ends.count("completed") >= self.quorum
        return not set(ends) - {"completed"} - self.ignore


Plans = dict[str, Plan]


@st.composite
def plans(draw: st.DrawFn) -> Plans:
    """Graphs of up to 14 steps: chains, layers, joins, islands."""
    size = draw(st.integers(1, 14))
    reach = draw(st.sampled_from([1, 2, size]))  # 1: a chain; all: anything
    most = draw(st.sampled_from([1, 2, 5, size]))
    found: Plans = {}
    for number in range(size):
        earlier = list(found)[-reach:]
        ends = draw(st.sampled_from(["completed"] * 6 + ["discarded", "cancelled"]))
        kinds = {"completed": COMPLETES, "discarded": DISCARDED, "cancelled": CANCELLED}[ends]
        several = st.lists(st.sampled_from(earlier), unique=True, max_size=most)
        deps = draw(several) if earlier else []
        found[f"s{number}"] = Plan(
            ends=ends,
            orders=draw(st.sampled_from(kinds)),
            deps=deps,
            passed=draw(st.booleans()),
            ignore=frozenset(draw(st.sets(st.sampled_from(["discarded", "cancelled"])))),
            quorum=draw(st.sampled_from([0, 0, *range(len(deps) + 1)])),
        )
    return found


def expected(plans: Plans) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The rules of the contract: how the workflow and each step ends, and with what result."""
    states: dict[str, str] = {}
    results: dict[str, Any] = {}
    for name, plan in plans.items():  # deps come first
        states[name] = plan.ends if plan.accepts([states[dep] for dep in plan.deps]) else "cancelled"
        if states[name] == "completed":
            got = [results.get(dep) for dep in plan.deps] if plan.passed else []
            results[name] = [name, got]
    ended = set(states.values())
    state = "failed" if "discarded" in ended else "cancelled" if "cancelled" in ended else "completed"
    return state, states, results


def submit(world: World, plans: Plans, dispatch: str) -> WorkflowRun:
    flow = world.flow(dispatch)
    refs: dict[str, Any] = {}
    for name, plan in plans.items():
        got = [refs[dep] for dep in plan.deps] if plan.passed else []
        # For a step that completes, whatever its last run is given is what it answers.
        last = [["inputs"]] if plan.ends == "completed" else []
        refs[name] = add_with_quorum(
            flow,
            name,
            world.act(*plan.orders, *last, inputs=[name, got]),
            quorum=plan.quorum,
            deps=() if plan.passed else plan.deps,
            ignore_discarded="discarded" in plan.ignore,
            ignore_cancelled="cancelled" in plan.ignore,
        )
    return world.run(flow, dispatch=dispatch)


def outcome(run: WorkflowRun) -> tuple[str, dict[str, str], dict[str, Any]]:
    status = run.wait(timeout=60_000)
    return str(status.state), {name: str(step.state) for name, step in status.steps.items()}, run.results()


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # no shrinking: each try takes a workflow's time
    suppress_health_check=list(HealthCheck),
)
@given(plans=plans())
def test_a_graph_settles_as_the_rules_say(request: pytest.FixtureRequest, kind: str, plans: Plans) -> None:
    world: World = request.getfixturevalue(f"{kind}_world")
    world.worker  # noqa: B018 - starts it
    runs = [submit(world, plans, dispatch) for dispatch in ("ready", "eager")]
    for run in runs:
        assert outcome(run) == expected(plans), run.name
        assert story.violations(run.status(), list(run.events()), lease_ttl=world.actors.LEASE_TTL) == []
    assert world.left_behind() == []


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_wide_graph_settles_as_the_rules_say(world: World, dispatch: str) -> None:
    plans = {"root": Plan("completed", [], [], False, frozenset())}
    for number in range(130):
        kinds = {0: "discarded", 1: "cancelled"}
        ends = kinds.get(number, "completed")
        orders = {"discarded": DISCARDED[0], "cancelled": CANCELLED[0]}.get(ends, COMPLETES[number % 4])
        plans[f"leaf {number}"] = Plan(ends, orders, ["root"], True, frozenset())
    leaves = [name for name in plans if name.startswith("leaf")]
    both = frozenset({"discarded", "cancelled"})
    plans["strict"] = Plan("completed", [], leaves, True, frozenset({"cancelled"}))
    plans["lenient"] = Plan("completed", [], leaves, True, both)
    world.worker  # noqa: B018 - starts it
    run = submit(world, plans, dispatch)
    assert outcome(run) == expected(plans)


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
@pytest.mark.parametrize("breaks", [False, True])
def test_a_deep_graph_settles_as_the_rules_say(world: World, dispatch: str, breaks: bool) -> None:
    plans: Plans = {}
    for number in range(30):
        ends = "discarded" if breaks and number == 10 else "completed"
        orders = DISCARDED[0] if ends == "discarded" else []
        plans[f"{number}"] = Plan(ends, orders, [f"{number - 1}"] if number else [], True, frozenset())
    world.worker  # noqa: B018 - starts it
    run = submit(world, plans, dispatch)
    assert outcome(run) == expected(plans)
