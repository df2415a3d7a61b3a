"""Metrics for Prometheus: what is counted, under which names, and where it is shown."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from dramatiq_baton import Discard, Workflow
from dramatiq_baton.embedded import free_port
from dramatiq_baton.instrumentation import PrometheusObserver
from tests.support.own import MakeLab
from tests.support.world import World

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def shown_at(port: int) -> Samples:
    """What an exporter shows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum over all samples of a name that have these labels."""
    return sum(
        value
        for (found, has), value in samples.items()
        if found == name and labels.items() <= dict(has).items()
    )


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def samples_in(registry: CollectorRegistry) -> Samples:
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in registry.collect()
        for s in family.samples
    }


def test_dramatiqs_exporter_shows_them_for_all_processes(own_world: World, tmp_path: Path) -> None:
    world, port = own_world, free_port()
    env = {
        "dramatiq_prom_db": str(tmp_path / "metrics"),
        "dramatiq_prom_host": "127.0.0.1",
        "dramatiq_prom_port": str(port),
        "BATON_TEST_PROMETHEUS": "last",
        "BATON_TEST_OBSERVERS": "prometheus",
    }
    flow = world.flow("nightly", ignore_discarded=True)
    both = [
        flow.add(name, world.act(["wait for", "go"])) for name in "ab"
    ]  # one in each process at the same time
    flow.add("c", world.act(["snooze", 20], ["fail", "boom"], ["value", 1], inputs=both))
    flow.add("d", world.act(["discard", "no such page"]), deps=both)
    flow.add("e", world.act(), deps=["c", "d"])
    module = "tests.support.actors_with_prometheus"
    with world.worker_running(module=module, env=env, processes=2, threads=1) as worker:
        worker.wait_log("Fork process 'dramatiq.middleware.prometheus:_run_exposition_server' is ready")
        run = world.run(flow)
        for _ in both:
            world.wait_for_waiting("go")
        world.actors.let_go("go")
        run.wait(timeout=30_000)
        found = shown_at(port)
        deadline = time.monotonic() + 30
        # Each change is told a moment after it was written down.
        while (
            total(found, "dramatiq_baton_steps_total") + total(found, "dramatiq_baton_workflows_total") < 15
        ):
            assert time.monotonic() < deadline
            found = shown_at(port)
        log = worker.stop()
    step = {"actor_name": "act", "queue_name": world.actors.QUEUE}
    states = {
        state: total(found, "dramatiq_baton_steps_total", state=state, **step)
        for state in ("executing", "snoozed", "retryable", "completed", "discarded", "cancelled")
    }
    assert states == {
        "executing": 7,
        "snoozed": 1,
        "retryable": 1,
        "completed": 4,
        "discarded": 1,
        "cancelled": 0,
    }
    assert total(found, "dramatiq_baton_step_queue_wait_seconds_count", **step) == 7
    assert total(found, "dramatiq_baton_step_run_seconds_count", **step) == 7
    assert total(found, "dramatiq_baton_step_run_seconds_count", state="retryable", **step) == 1
    assert total(found, "dramatiq_baton_workflows_total", workflow_name="nightly") == 1
    assert total(found, "dramatiq_baton_workflows_total", workflow_name="nightly", state="failed") == 1
    assert total(found, "dramatiq_messages_total", actor_name="act") >= 7  # Dramatiq's own, on the same page
    assert "observer failed" not in log


def test_what_a_submitter_counts_is_in_its_registry(make_lab: MakeLab, registry: CollectorRegistry) -> None:
    lab = make_lab(observers=[PrometheusObserver(registry=registry)])

    @lab.actor
    def act() -> None: ...

    flow = Workflow("nightly")
    flow.add("a", act.message())
    run = lab.run(flow)
    run.cancel()
    found = samples_in(registry)
    assert total(found, "dramatiq_baton_workflows_started_total", workflow_name="nightly") == 1
    assert total(found, "dramatiq_baton_workflows_total", workflow_name="nightly", state="cancelled") == 1
    assert total(found, "dramatiq_baton_steps_total", actor_name="act", state="cancelled") == 1


def test_times_are_seconds(make_lab: MakeLab, registry: CollectorRegistry) -> None:
    lab = make_lab(observers=[PrometheusObserver(registry=registry)])

    @lab.actor
    def act() -> Discard:
        lab.note("begun")
        return Discard("no")

    flow = Workflow("nightly")
    flow.add("a", act.message())
    run = lab.finish(flow)
    (event,) = [event for event in run.events() if event.event == "discarded"]
    found = samples_in(registry)
    took = total(found, "dramatiq_baton_step_run_seconds_sum", actor_name="act", state="discarded")
    assert took == pytest.approx((event.duration or 0) / 1000)


def test_two_brokers_may_count_in_one_registry(make_lab: MakeLab, registry: CollectorRegistry) -> None:
    for name in ("first", "second"):
        lab = make_lab(observers=[PrometheusObserver(registry=registry)])

        @lab.actor(actor_name=name)
        def act() -> None: ...

        flow = Workflow(name)
        flow.add("a", act.message())
        lab.run(flow).cancel()
    found = samples_in(registry)
    assert total(found, "dramatiq_baton_workflows_total", workflow_name="first") == 1
    assert total(found, "dramatiq_baton_workflows_total", workflow_name="second") == 1
