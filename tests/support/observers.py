"""Observers for actors in worker processes, and what they leave for tests to read."""

from __future__ import annotations

from dramatiq_baton.observing import Observer


def named(names: str) -> list[Observer]:
    """The observers with these names, separated by commas: ``prometheus``, ``opentelemetry``."""
    return [_observer(name) for name in names.split(",") if name]


def _observer(name: str) -> Observer:
    if name == "prometheus":
        from dramatiq_baton.instrumentation import PrometheusObserver

        return PrometheusObserver()
    from dramatiq_baton.instrumentation import OpenTelemetryObserver

    return OpenTelemetryObserver()
