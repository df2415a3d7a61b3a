"""The actors that ``stages.py`` measures. ``STAGES_URL`` says where Redis is, ``STAGES_PATH`` which path they take.

``STAGES_OBSERVERS`` may name what observes them: see ``observers.py``.
"""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq import Middleware
from dramatiq.brokers.redis import RedisBroker as StockBroker

from dramatiq_baton import BatonMiddleware, workflow_actor
from dramatiq_baton.brokers import RedisBroker

PATH = os.environ["STAGES_PATH"]


class Listener(Middleware):
    """Wants to see every message that is enqueued, so that scripts may enqueue none."""

    def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None: ...


def observed_by(name: str) -> dict[str, Any]:
    """Options of the middleware with these observers; none at all if there are none."""
    match name:
        case "prometheus":
            from dramatiq_baton.instrumentation import PrometheusObserver

            return {"observers": [PrometheusObserver()]}
        case "opentelemetry-api":
            from dramatiq_baton.instrumentation import OpenTelemetryObserver

            return {"observers": [OpenTelemetryObserver()]}
        case "opentelemetry-sdk":
            from opentelemetry.sdk.trace import TracerProvider

            from dramatiq_baton.instrumentation import OpenTelemetryObserver

            return {"observers": [OpenTelemetryObserver(tracer_provider=TracerProvider())]}
    return {}


broker = (StockBroker if PATH == "stock" else RedisBroker)(url=os.environ["STAGES_URL"])
broker.add_middleware(BatonMiddleware(**observed_by(os.environ.get("STAGES_OBSERVERS", ""))))
if PATH == "listened":
    broker.add_middleware(Listener())
dramatiq.set_broker(broker)


@workflow_actor
def start() -> int:
    return 1


@workflow_actor
def link(value: int) -> int:
    return value


@workflow_actor
def total(values: list[int]) -> int:
    return sum(values)
