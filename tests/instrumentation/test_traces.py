"""One trace a workflow, carried across processes."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from dramatiq.middleware import AsyncIO
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dramatiq_baton import Discard, Snooze, Workflow
from dramatiq_baton.instrumentation import OpenTelemetryObserver
from tests.support import spans
from tests.support.lab import Lab, stock
from tests.support.own import MakeLab
from tests.support.spans import Seen

from .conftest import MakeWorld


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture
def traced(make_lab: MakeLab, provider: TracerProvider) -> Lab:
    return make_lab(observers=[OpenTelemetryObserver(tracer_provider=provider)])


def seen(exporter: InMemorySpanExporter) -> list[Seen]:
    return [Seen.of(span) for span in exporter.get_finished_spans()]


def by_step(found: list[Seen]) -> dict[str, Seen]:
    return {span.step: span for span in found if span.step}


def named(found: list[Seen], name: str) -> Seen:
    (span,) = [span for span in found if span.name == name]
    return span


def test_a_workflow_is_one_trace_of_spans_linked_to_their_deps(
    traced: Lab, exporter: InMemorySpanExporter
) -> None:
    @traced.actor
    def act(*_: Any) -> int:
        return 1

    flow = Workflow("brief")
    page = flow.add("page", act.message())
    parts = [flow.add(name, act.message(page)) for name in ("left", "right")]
    flow.add("both", act.message(parts), deps="page")
    run = traced.finish(flow)

    found = seen(exporter)
    root, steps = named(found, "submit brief"), by_step(found)
    assert root.parent == ""
    assert root.kind == "PRODUCER"
    assert {span.trace_id for span in found} == {root.trace_id}
    assert {span.parent for span in found if span is not root} == {root.id}
    assert {name: set(span.links) for name, span in steps.items()} == {
        "page": set(),
        "left": {steps["page"].id},
        "right": {steps["page"].id},
        "both": {steps[name].id for name in ("left", "right", "page")},
    }
    assert {span.kind for span in steps.values()} == {"CONSUMER"}
    assert steps["page"].attributes == {
        "messaging.system": "dramatiq",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "dramatiq_baton.workflow.id": run.id,
        "dramatiq_baton.workflow.name": "brief",
        "dramatiq_baton.step.name": "page",
        "dramatiq_baton.step.actor": "act",
        "dramatiq_baton.step.attempt": 1,
        "dramatiq_baton.step.state": "completed",
    }


def test_the_whole_workflow_has_a_span_from_its_start_to_its_end(
    traced: Lab, exporter: InMemorySpanExporter
) -> None:
    @traced.actor
    def act() -> Discard:
        return Discard("no")

    flow = Workflow("brief")
    flow.add("a", act.message())
    run = traced.finish(flow)
    (finished,) = [event for event in run.events() if event.event == "workflow_finished"]
    whole = named(seen(exporter), "workflow brief")
    assert whole.end - whole.start == (finished.duration or 0) * 1_000_000
    assert whole.attributes["dramatiq_baton.workflow.state"] == "failed"
    assert whole.error == ""


def test_the_submission_is_within_the_callers_span(
    traced: Lab, exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    @traced.actor
    def act() -> None: ...

    def flow() -> Workflow:
        flow = Workflow("brief")
        flow.add("a", act.message())
        return flow

    async def submit() -> None:
        with provider.get_tracer("test").start_as_current_span("request"):
            await flow().run_async(broker=traced.broker)
            assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]

    with traced.working(), provider.get_tracer("test").start_as_current_span("request"):
        traced.run(flow()).wait(timeout=30_000)
        assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]
    asyncio.run(submit())
    found = seen(exporter)
    requests = {span.id for span in found if span.name == "request"}
    assert {span.parent for span in found if span.name == "submit brief"} == requests
    assert len(requests) == 2


def test_what_the_actor_does_is_within_its_span(
    traced: Lab, exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    @traced.actor
    def act() -> None:
        with provider.get_tracer("test").start_as_current_span("request"):
            pass

    @traced.plain_actor
    def plain() -> None:
        traced.note(str(trace.get_current_span().get_span_context().is_valid))

    flow = Workflow("brief")
    flow.add("a", act.message())
    with traced.working(threads=1):
        traced.run(flow).wait(timeout=30_000)
        plain.send()
        traced.wait_note("False")  # nothing is left in the thread
    found = seen(exporter)
    assert named(found, "request").parent == by_step(found)["a"].id


def test_what_an_async_actor_does_is_within_its_span(
    make_lab: MakeLab, exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    observer = OpenTelemetryObserver(tracer_provider=provider)
    lab = make_lab(lambda baton: [*stock(), AsyncIO(), baton], observers=[observer])
    both_run = threading.Barrier(2, timeout=30)

    @lab.actor
    async def act(name: str) -> None:
        await asyncio.to_thread(both_run.wait)  # two at a time, in one event loop
        with provider.get_tracer("test").start_as_current_span(f"request of {name}"):
            await asyncio.to_thread(both_run.wait)

    flow = Workflow("brief")
    for name in "ab":
        flow.add(name, act.message(name))
    lab.finish(flow)
    found = seen(exporter)
    for name, span in by_step(found).items():
        assert named(found, f"request of {name}").parent == span.id


def test_each_execution_has_a_span_that_tells_how_it_ended(
    traced: Lab, exporter: InMemorySpanExporter
) -> None:
    @traced.actor(max_retries=1)
    def act() -> Any:
        match traced.note("run"):
            case 1:
                return Snooze(5, "busy")
            case _:
                raise ValueError("no")

    flow = Workflow("brief")
    flow.add("a", act.message())
    traced.finish(flow)
    found = [span for span in seen(exporter) if span.step]
    assert [span.attributes["dramatiq_baton.step.attempt"] for span in found] == [1, 2, 3]
    assert [(span.state, span.error, span.exceptions) for span in found] == [
        ("snoozed", None, []),
        ("retryable", "ValueError: no", ["ValueError"]),
        ("discarded", "ValueError: no", ["ValueError"]),
    ]
    assert [span.attributes.get("dramatiq_baton.step.reason") for span in found] == [
        *("busy", "ValueError: no", "ValueError: no"),
    ]


def test_a_discard_is_an_error_without_an_exception(traced: Lab, exporter: InMemorySpanExporter) -> None:
    @traced.actor
    def act() -> None:
        raise Discard("no such page")

    flow = Workflow("brief")
    flow.add("a", act.message())
    traced.finish(flow)
    span = by_step(seen(exporter))["a"]
    assert (span.state, span.error, span.exceptions) == ("discarded", "no such page", [])


def test_an_execution_that_was_called_off_is_lost(traced: Lab, exporter: InMemorySpanExporter) -> None:
    @traced.actor
    def act() -> None:
        traced.note("begun")
        traced.wait_note("cancelled")

    flow = Workflow("brief")
    flow.add("a", act.message())
    with traced.working():
        run = traced.run(flow)
        traced.wait_note("begun")
        run.cancel()
        traced.note("cancelled")
    span = by_step(seen(exporter))["a"]
    assert (span.state, span.error) == ("lost", None)


def test_baggage_of_the_submitter_arrives_in_actors(traced: Lab) -> None:
    @traced.actor
    def act() -> None:
        traced.note(str(baggage.get_baggage("tenant")))

    flow = Workflow("brief")
    flow.add("a", act.message())
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        traced.finish(flow)
    finally:
        context.detach(token)
    assert traced.notes == ["acme"]


def test_without_the_submitters_observer_steps_are_linked_all_the_same(
    make_lab: MakeLab, exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    submitter, worker = make_lab(), make_lab(observers=[OpenTelemetryObserver(tracer_provider=provider)])
    for lab in (submitter, worker):

        @lab.actor
        def act(*_: Any) -> None: ...

    flow = Workflow("brief")
    one = flow.add("one", act.message())
    flow.add("two", act.message(one))
    with worker.working():
        submitter.run(flow).wait(timeout=30_000)
    steps = by_step(seen(exporter))
    assert [span.parent for span in steps.values()] == ["", ""]
    assert steps["two"].links == [steps["one"].id]


def test_without_an_sdk_nothing_is_stored(make_lab: MakeLab) -> None:
    lab = make_lab(observers=[OpenTelemetryObserver()])

    @lab.actor
    def act(*_: Any) -> None: ...

    flow = Workflow("brief")
    one = flow.add("one", act.message())
    flow.add("two", act.message(one))
    run = lab.finish(flow)
    key = f"{lab.world.namespace}:workflow:{{{run.id}}}"
    assert set(lab.world.redis.hkeys(f"{key}:edges")) == {"0:"}


@pytest.mark.parametrize("command", ["dramatiq", "dramatiq-gevent"])
def test_the_trace_goes_on_in_worker_processes(make_world: MakeWorld, command: str) -> None:
    world = make_world(BATON_TEST_OBSERVERS="opentelemetry")
    flow = world.flow("brief")
    both = [flow.add(name, world.act(["wait for", "go"])) for name in ("left", "right")]
    flow.add("both", world.act(inputs=both))
    with world.worker_running(processes=2, threads=1, command=command):
        run = world.run(flow)
        for _ in both:
            world.wait_for_waiting("go")
        world.actors.let_go("go")
        run.wait(timeout=30_000)
        found = spans.read(world.redis, f"{world.namespace}:probe:spans", 5)
    steps, root = by_step(found), named(found, "submit brief")
    assert {span.trace_id for span in found} == {root.trace_id}
    assert {span.parent for span in steps.values()} == {root.id}
    assert len({steps["left"].pid, steps["right"].pid, root.pid}) == 3
    assert set(steps["both"].links) == {steps["left"].id, steps["right"].id}
