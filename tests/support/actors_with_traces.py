"""The same actors, whose spans go to the list ``<namespace>:probe:spans``."""

from __future__ import annotations

from opentelemetry import trace

from dramatiq_baton import workflow_actor
from tests.support import spans
from tests.support.actors import *  # noqa: F403
from tests.support.actors import NAMESPACE, QUEUE, probe

trace.set_tracer_provider(spans.provider_to(probe, f"{NAMESPACE}:probe:spans"))


@workflow_actor(queue_name=QUEUE, max_retries=0)
def call(name: str) -> str:
    """What an instrumented client does: a span of its own."""
    with trace.get_tracer("client").start_as_current_span(name):
        return name


@workflow_actor(queue_name=QUEUE, max_retries=0)
async def call_async(name: str) -> str:
    with trace.get_tracer("client").start_as_current_span(name):
        return name
