"""What the worker processes of ``recovery.py`` run: a step's actor, or a plain one, with stock settings.

``RECOVERY_URL`` says where Redis is, ``RECOVERY_KIND`` which of the two to measure: ``baton`` or ``plain``.
Run as a program, it submits: a workflow of one step, or one message.
"""

from __future__ import annotations

import os
import time

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from dramatiq_baton import BatonMiddleware, Workflow, workflow_actor

URL = os.environ["RECOVERY_URL"]
STARTS = "recovery:starts"
STOP = "recovery:stop"

broker = RedisBroker(url=URL)
if os.environ["RECOVERY_KIND"] == "baton":
    broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)
probe = redis.Redis.from_url(URL)


def run_for_long() -> str:
    """Tell where and when it starts, and then work until told to stop, which is later than the measurement."""
    probe.rpush(STARTS, f"{os.getpid()} {time.monotonic()}")  # the clock is the same for all processes
    while not probe.exists(STOP):
        time.sleep(0.05)
    return "done"


if os.environ["RECOVERY_KIND"] == "baton":

    @workflow_actor
    def work() -> str:
        return run_for_long()

else:

    @dramatiq.actor
    def work() -> None:
        run_for_long()


if __name__ == "__main__":
    if os.environ["RECOVERY_KIND"] == "baton":
        flow = Workflow("recovery")
        flow.add("work", work.message())
        flow.run()
    else:
        work.send()
