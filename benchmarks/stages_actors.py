"""The actors that ``stages.py`` measures. ``STAGES_URL`` says where Redis is, ``STAGES_PATH`` which path they take."""

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


broker = (StockBroker if PATH == "stock" else RedisBroker)(url=os.environ["STAGES_URL"])
broker.add_middleware(BatonMiddleware())
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
