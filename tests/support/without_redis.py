"""A broker that has no Redis, with a ``BatonMiddleware`` that nobody told where Redis is."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import BatonMiddleware, workflow_actor

broker = StubBroker()
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)


@workflow_actor
def act() -> None: ...
