"""Metrics for Prometheus, beside those of Dramatiq's own exporter.

``prometheus_client`` decides when it is imported whether several processes share what they count, and Dramatiq's
``Prometheus`` says so no sooner than in each worker process. So it is not imported here, but when a worker starts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..observing import Observer, StepChange, StepRescue, WorkflowEnd, WorkflowStart
from ._extras import missing

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

if find_spec("prometheus_client") is None:
    raise missing("prometheus_client", extra="prometheus")

#: Upper bounds, in seconds: of what takes a moment, and of calls to providers and backlogs, which take minutes.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
STEP = ("queue_name", "actor_name")  # as Dramatiq's own metrics call them, so that queries can join the two


@dataclass(frozen=True, slots=True)
class Metrics:
    """What is counted, in one registry."""

    steps: Counter
    queue_wait: Histogram
    run_time: Histogram
    rescues: Counter
    workflows_started: Counter
    workflows: Counter

    @classmethod
    def in_registry(cls, registry: CollectorRegistry) -> Metrics:
        """Register them."""
        from prometheus_client import Counter, Histogram

        return cls(
            steps=Counter(
                "dramatiq_baton_steps_total",
                "How often a step has changed to a state.",
                (*STEP, "state"),
                registry=registry,
            ),
            queue_wait=Histogram(
                "dramatiq_baton_step_queue_wait_seconds",
                "How long steps that were ready waited for a worker.",
                STEP,
                buckets=BUCKETS,
                registry=registry,
            ),
            run_time=Histogram(
                "dramatiq_baton_step_run_seconds",
                "How long executions took, by the state of the step behind them.",
                (*STEP, "state"),
                buckets=BUCKETS,
                registry=registry,
            ),
            rescues=Counter(
                "dramatiq_baton_rescues_total",
                "How often the worker of a step died or lost touch.",
                STEP,
                registry=registry,
            ),
            workflows_started=Counter(
                "dramatiq_baton_workflows_started_total",
                "How many workflows were submitted or retried.",
                ("workflow_name",),
                registry=registry,
            ),
            workflows=Counter(
                "dramatiq_baton_workflows_total",
                "How many workflows have finished, by how they ended.",
                ("workflow_name", "state"),
                registry=registry,
            ),
        )


_lock = threading.Lock()
_registered: WeakKeyDictionary[CollectorRegistry, Metrics] = WeakKeyDictionary()


def metrics_in(registry: CollectorRegistry | None) -> Metrics:
    """The metrics in a registry, registered if they aren't: it takes each name but once."""
    if registry is None:
        from prometheus_client import REGISTRY as default  # noqa: N811

        registry = default
    with _lock:
        if registry not in _registered:
            _registered[registry] = Metrics.in_registry(registry)
        return _registered[registry]


class PrometheusObserver(Observer):
    """Counts what happens to workflows and steps, for Prometheus.

    With Dramatiq's ``Prometheus`` middleware on the same broker, its exporter shows these metrics on the same page,
    for all worker processes together. Elsewhere (in a web application that submits workflows) they are in the
    ``registry``, for whatever shows that.

    Examples:

      >>> broker.add_middleware(Prometheus())
      >>> broker.add_middleware(BatonMiddleware(observers=[PrometheusObserver()]))

    Parameters:
      registry: Where the metrics are registered; the default registry of ``prometheus_client`` if not given.

    Raises:
      ConfigurationError: When imported, if ``prometheus_client`` isn't installed.
    """

    def __init__(self, *, registry: CollectorRegistry | None = None) -> None:
        self._registry = registry
        self._found: Metrics | None = None

    @property
    def _metrics(self) -> Metrics:
        if self._found is None:
            self._found = metrics_in(self._registry)
        return self._found

    def starting(self) -> None:
        self._found = metrics_in(self._registry)  # here no exception of another thread can leave half of them

    def step_changed(self, change: StepChange) -> None:
        metrics, step = self._metrics, (change.queue, change.actor)
        metrics.steps.labels(*step, change.state.value).inc()
        if change.wait is not None:
            metrics.queue_wait.labels(*step).observe(change.wait / 1000)
        if change.duration is not None:
            metrics.run_time.labels(*step, change.state.value).observe(change.duration / 1000)

    def step_rescued(self, rescue: StepRescue) -> None:
        self._metrics.rescues.labels(rescue.queue, rescue.actor).inc()

    def workflow_started(self, start: WorkflowStart) -> None:
        self._metrics.workflows_started.labels(start.workflow_name).inc()

    def workflow_finished(self, end: WorkflowEnd) -> None:
        self._metrics.workflows.labels(end.workflow_name, end.state.value).inc()
