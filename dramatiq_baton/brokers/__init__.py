"""Brokers that Baton is fast on. It works on any of Dramatiq's own."""

from __future__ import annotations

from .redis import RedisBroker

__all__ = ["RedisBroker"]
