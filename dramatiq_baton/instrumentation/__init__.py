"""Observers for other programs: metrics for Prometheus, traces for OpenTelemetry.

Each needs an extra of its own, and is imported only when it is asked for::

    from dramatiq_baton.instrumentation import OpenTelemetryObserver, PrometheusObserver

    broker.add_middleware(BatonMiddleware(observers=[PrometheusObserver(), OpenTelemetryObserver()]))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._opentelemetry import OpenTelemetryObserver
    from ._prometheus import PrometheusObserver

__all__ = ["OpenTelemetryObserver", "PrometheusObserver"]

_MODULES = {"OpenTelemetryObserver": "_opentelemetry", "PrometheusObserver": "_prometheus"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
