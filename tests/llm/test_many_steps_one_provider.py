"""Many steps, two workers, and a provider that allows few calls a second: its limit is learnt and kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dramatiq_baton import StepState, Workflow
from tests.support.llm_actors import declare
from tests.support.llm_provider import Provider
from tests.support.world import World

from .conftest import told

#: The issue's numbers are 200 and 10; here scaled down.
STEPS = int(os.environ.get("BATON_TEST_LLM_STEPS", "100"))
RATE = int(os.environ.get("BATON_TEST_LLM_RATE", "20"))


@pytest.fixture
def world(own_world: World) -> Iterator[World]:
    """A world with two workers that run LLM actors."""
    with ExitStack() as stack:
        workers = [
            own_world.start_worker(module="tests.support.llm_worker", threads=8, wait=False) for _ in range(2)
        ]
        for worker in workers:
            stack.callback(worker.kill)
        for worker in workers:
            worker.wait_ready()
        yield own_world


def test_few_calls_are_refused_when_the_limit_is_known(world: World, provider: Provider) -> None:
    provider.rate = RATE
    provider.names_a_time = world.env["BATON_TEST_BROKER"] == "fast"  # on one of the two paths
    provider.asked.clear()
    actors = declare(world.broker)
    flow = Workflow("flow")
    for number in range(STEPS):
        flow.add(f"s{number}", actors.ask_in_turn.message(provider.url, f"{world.namespace} s{number}"))
    run = flow.run(broker=world.broker)
    run.wait(timeout=120_000)

    assert run.status().counts == {StepState.COMPLETED: STEPS}
    assert not told(run, "retryable")
    assert not told(run, "discarded")
    began = provider.asked[0][0]
    later = [answered for at, answered in provider.asked if at > began + 1]
    assert later.count(False) <= len(later) / 10, provider.asked
    refused = len(provider.asked) - STEPS
    assert refused  # else nothing was learnt
    snoozed = told(run, "snoozed")
    assert sum(event.reason.startswith("refused: ") for event in snoozed) == refused
    # Each of the others waited for a turn; nobody asks and asks.
    assert STEPS / 2 <= len(snoozed) - refused <= 2 * STEPS
