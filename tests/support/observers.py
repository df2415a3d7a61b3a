"""Observers for the actors of tests, in whatever process they run."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from dramatiq_baton.observing import Observer


def named(names: str, client: redis.Redis, key: str) -> Iterator[Observer]:
    """The observers with these names, separated by commas.

    Parameters:
      names: ``prometheus``, and ``opentelemetry``, whose spans go to a list (see ``spans.py``).
      client: Where that is.
      key: Its key.
    """
    for name in filter(None, names.split(",")):
        if name == "prometheus":
            from dramatiq_baton.instrumentation import PrometheusObserver

            yield PrometheusObserver()
        else:
            from dramatiq_baton.instrumentation import OpenTelemetryObserver
            from tests.support import spans

            yield OpenTelemetryObserver(tracer_provider=spans.provider_to(client, key))
