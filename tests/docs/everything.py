"""A program whose workflow leaves nothing out: what it writes to Redis is all that Baton ever writes there."""

from __future__ import annotations

import os

from dramatiq_baton import BatonMiddleware, Snooze, Workflow, current_step, workflow_actor
from dramatiq_baton.brokers import RedisBroker
from dramatiq_baton.llm import llm_actor

broker = RedisBroker(url=os.environ["BATON_REDIS_URL"])
broker.add_middleware(BatonMiddleware(rescue_interval=100))


@workflow_actor(broker=broker)
def plain(value: int) -> int | Snooze:
    step = current_step()
    return step.once("call", lambda: value) if step is None or step.attempt > 1 else Snooze(50)


@llm_actor(broker=broker)
def ask(value: int, model: str) -> int:
    current_step().record_usage(model=model, input_tokens=1, output_tokens=1)
    return value


@workflow_actor(broker=broker, max_retries=1, min_backoff=10)
def fail(value: int) -> None:
    raise ValueError(value)


def everything() -> Workflow:
    flow = Workflow("everything", id="everything")
    value = flow.add("plain", plain.message(1))
    asked = flow.add("ask", ask.message(value, model="a-model"), delay=50)
    flow.add("fail", fail.message(asked))
    flow.add("last", plain.message(2), deps="fail", ignore_discarded=True)
    return flow
