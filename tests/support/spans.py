"""Spans that worker processes write to a list in Redis, for a test to read."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


@dataclass(frozen=True)
class Seen:
    """A span that has ended.

    Attributes:
      pid: The process that made it.
      parent: The id of its parent; empty if it has none.
      links: The ids of the spans that it is linked to.
      error: The description of its status if that is an error, else ``None``.
      exceptions: The types of the exceptions that it recorded.
    """

    pid: int
    name: str
    kind: str
    trace_id: str
    id: str
    parent: str
    links: list[str]
    attributes: dict[str, Any]
    error: str | None
    exceptions: list[str]
    start: int
    end: int

    @classmethod
    def of(cls, span: ReadableSpan) -> Seen:
        about, status = span.context, span.status
        return cls(
            pid=os.getpid(),
            name=span.name,
            kind=span.kind.name,
            trace_id=trace.format_trace_id(about.trace_id),
            id=trace.format_span_id(about.span_id),
            parent=trace.format_span_id(span.parent.span_id) if span.parent else "",
            links=[trace.format_span_id(link.context.span_id) for link in span.links],
            attributes=dict(span.attributes or {}),
            error=status.description or "" if status.status_code is trace.StatusCode.ERROR else None,
            exceptions=[event.attributes["exception.type"] for event in span.events],
            start=span.start_time,
            end=span.end_time,
        )

    @property
    def step(self) -> str:
        return str(self.attributes.get("dramatiq_baton.step.name", ""))

    @property
    def state(self) -> str:
        return str(self.attributes.get("dramatiq_baton.step.state", ""))


class ToRedis(SpanExporter):
    """Writes spans to a list.

    Parameters:
      client: Where it is.
      key: Its key.
    """

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self._key = key

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._client.rpush(self._key, json.dumps(vars(Seen.of(span))))
        self._client.expire(self._key, 600)
        return SpanExportResult.SUCCESS


def provider_to(client: redis.Redis, key: str) -> TracerProvider:
    """A provider whose spans go to a list."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ToRedis(client, key)))
    return provider


def read(client: redis.Redis, key: str, number: int) -> list[Seen]:
    """Wait for so many spans, and read them in the order in which they ended."""
    with redis.Redis(connection_pool=client.connection_pool) as patient:
        return [Seen(**json.loads(patient.blpop([key], timeout=30)[1])) for _ in range(number)]
