"""Two operators cancel and retry the same workflow while workers run it: whatever the order, it stays consistent."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dramatiq_baton import WorkflowRun, WorkflowRunning
from tests.properties.test_random_graphs import Plans, plans, submit
from tests.support import story
from tests.support.world import World

#: What an operator does: a word, or so many events to wait for.
Deed = str | int
DEEDS = st.lists(
    st.sampled_from(["cancel", "interrupt", "retry"]) | st.integers(1, 6), min_size=1, max_size=7
)


def operate(
    run: WorkflowRun, deeds: list[Deed], started: threading.Barrier, errors: list[BaseException]
) -> None:
    seen = "0"
    try:
        started.wait()
        for deed in deeds:
            match deed:
                case "cancel" | "interrupt":
                    run.cancel("by an operator", interrupt=deed == "interrupt")
                case "retry":
                    with suppress(WorkflowRunning):
                        run.retry()
                case int():
                    for event in islice(run.events(seen, follow=True), deed):
                        seen = event.id
    except BaseException as error:
        errors.append(error)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # no shrinking: what happens isn't the same each time
    suppress_health_check=list(HealthCheck),
)
@given(plans=plans(), one=DEEDS, other=DEEDS, dispatch=st.sampled_from(["ready", "eager"]))
def test_a_workflow_stays_consistent_whatever_they_do(
    request: pytest.FixtureRequest,
    kind: str,
    plans: Plans,
    one: list[Deed],
    other: list[Deed],
    dispatch: str,
) -> None:
    world: World = request.getfixturevalue(f"{kind}_world")
    world.worker  # noqa: B018 - starts it
    run = submit(world, plans, dispatch)
    errors: list[BaseException] = []
    started = threading.Barrier(2)
    threads = [threading.Thread(target=operate, args=(run, deeds, started, errors)) for deeds in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    status = run.wait(timeout=60_000)
    events = list(run.events())
    runs = sum(event.event == "workflow_started" for event in events)
    assert story.violations(status, events, lease_ttl=world.actors.LEASE_TTL, runs=runs) == []
    assert set(run.results()) == {name for name, step in status.steps.items() if step.state == "completed"}
    last = {event.step: event.event for event in events if event.step}
    assert {name: str(step.state) for name, step in status.steps.items()} == last
    assert world.left_behind() == []
