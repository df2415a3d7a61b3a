"""A user's program as two releases of dramatiq-baton run it: nothing here that 0.1.0 doesn't have.

Copied into a folder of its own beside the package of an earlier release, it is what that release's workers run. Run as
a program it submits the workflow ``chain`` under an id and ends.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker as StockRedisBroker

import dramatiq_baton
from dramatiq_baton import BatonMiddleware, Workflow, current_step, workflow_actor
from dramatiq_baton.brokers import RedisBroker

URL = os.environ["BATON_TEST_URL"]
NAMESPACE = os.environ["BATON_TEST_NAMESPACE"]
RELEASE = os.environ.get("BATON_TEST_RELEASE", "new")

probe = redis.Redis.from_url(URL, decode_responses=True)
kind = RedisBroker if os.environ["BATON_TEST_BROKER"] == "fast" else StockRedisBroker
broker = kind(url=URL, namespace=f"{NAMESPACE}:broker")
broker.add_middleware(
    BatonMiddleware(url=URL, namespace=NAMESPACE, lease_ttl=1000, rescue_interval=100, snooze_delay=50)
)
dramatiq.set_broker(broker)


def note(what: str) -> None:
    key = f"{NAMESPACE}:probe:notes"
    probe.xadd(key, {"what": what})
    probe.expire(key, 600)


@workflow_actor(max_retries=1, min_backoff=10, max_backoff=20)
def act(name: str, inputs: Any = None) -> Any:
    """Notes which release runs it; a name with "held" waits until ``let_go``, one with "bad" fails."""
    step = current_step()
    assert step is not None
    note(f"{RELEASE} {step.name}")
    while "held" in name and not probe.exists(f"{NAMESPACE}:probe:go"):
        time.sleep(0.01)  # not a wait of a test: the actor is busy
    if "bad" in name and not probe.exists(f"{NAMESPACE}:probe:mended"):
        raise ValueError("not mended yet")
    return [name, inputs]


if RELEASE == "with another actor":

    @workflow_actor
    def added(name: str) -> str:
        note(f"{RELEASE} {name}")
        return name


def let_go(what: str = "go") -> None:
    probe.set(f"{NAMESPACE}:probe:{what}", 1, ex=600)


def notes() -> list[str]:
    return [fields["what"] for _, fields in probe.xrange(f"{NAMESPACE}:probe:notes")]


def chain(workflow_id: str, *names: str) -> Workflow:
    flow = Workflow("chain", id=workflow_id)
    last: Any = None
    for name in names:
        last = flow.add(name, act.message(name, last))
    return flow


if __name__ == "__main__":
    print(dramatiq_baton.__file__)
    run = chain(sys.argv[1], *sys.argv[2:]).run()
    print(run.created)
