"""Actors that do as they are told. Worker processes run this module; tests import it to submit.

``BATON_TEST_URL`` says where Redis is, ``BATON_TEST_NAMESPACE`` under which namespace to work,
``BATON_TEST_BROKER`` which broker to use (``fast`` is our own ``RedisBroker``). Workflows are elsewhere than what the
actors note with ``BATON_TEST_STATE_URL`` (behind a proxy); on a cluster that has these nodes with
``BATON_TEST_CLUSTER``, one of them at another port if ``BATON_TEST_CLUSTER_REMAP`` tells of one; and where the sentinel
at this port says with ``BATON_TEST_SENTINEL``, as are messages unless ``BATON_TEST_BROKER_URL`` says otherwise. With
``BATON_TEST_HEARTBEAT`` a ``RedisBroker`` always gives back the messages of workers that it hasn't heard of for so many
milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO
from redis.cluster import ClusterNode
from redis.sentinel import Sentinel

from dramatiq_baton import (
    BatonMiddleware,
    Cancel,
    Discard,
    Snooze,
    Step,
    StepCancelled,
    current_step,
    workflow_actor,
)
from dramatiq_baton.brokers import RedisBroker as FastRedisBroker
from tests.support import llm_client

URL = os.environ["BATON_TEST_URL"]
NAMESPACE = os.environ["BATON_TEST_NAMESPACE"]
LEASE_TTL = int(os.environ.get("BATON_TEST_LEASE_TTL", "3000"))
RESCUE_INTERVAL = int(os.environ.get("BATON_TEST_RESCUE_INTERVAL", "200"))

probe = redis.Redis.from_url(URL, decode_responses=True)


#: The master that a sentinel leads to.
master: redis.Redis | None = None
if sentinel := os.environ.get("BATON_TEST_SENTINEL"):
    master = Sentinel([("127.0.0.1", int(sentinel))]).master_for("state", socket_timeout=5)


def make_broker() -> dramatiq.Broker:
    kind = os.environ.get("BATON_TEST_BROKER", "redis")
    if kind == "stub":
        return StubBroker()
    if kind == "rabbitmq":
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=os.environ["BATON_TEST_RABBITMQ_URL"])
    redelivery: dict[str, int] = {}
    if heartbeat := os.environ.get("BATON_TEST_HEARTBEAT"):
        redelivery = {"heartbeat_timeout": int(heartbeat), "maintenance_chance": 1_000_000}
    make = FastRedisBroker if kind == "fast" else RedisBroker
    place: dict[str, Any] = {"url": os.environ.get("BATON_TEST_BROKER_URL", URL)}
    if master is not None and "BATON_TEST_BROKER_URL" not in os.environ:
        place = {"client": master}
    namespace = os.environ.get("BATON_TEST_BROKER_NAMESPACE", f"{NAMESPACE}:broker")
    return make(**place, namespace=namespace, **redelivery)


def remapped(address: tuple[str, int]) -> tuple[str, int]:
    """Where a node of the cluster is for this process."""
    host, port = address
    real, behind = (os.environ.get("BATON_TEST_CLUSTER_REMAP") or f"{port} {port}").split()
    return (host, int(behind)) if port == int(real) else address


def where() -> dict[str, Any]:
    """Where workflows are, as ``BatonMiddleware`` takes it."""
    if nodes := os.environ.get("BATON_TEST_CLUSTER"):
        addresses = [node.rpartition(":") for node in nodes.split()]
        startup = [ClusterNode(host, int(port)) for host, _, port in addresses]
        return {"client": redis.RedisCluster(startup_nodes=startup, address_remap=remapped)}
    if master is not None:
        return {"client": master}
    return {"url": os.environ.get("BATON_TEST_STATE_URL", URL)}


broker = make_broker()
broker.add_middleware(AsyncIO())
broker.add_middleware(
    BatonMiddleware(
        **where(),
        namespace=NAMESPACE,
        snooze_delay=100,
        lease_ttl=LEASE_TTL,
        rescue_interval=RESCUE_INTERVAL,
        max_rescues=int(os.environ.get("BATON_TEST_MAX_RESCUES", "2")),
        max_result_size=100_000,
        retention=int(os.environ.get("BATON_TEST_RETENTION", "604800000")),
        events_maxlen=int(os.environ.get("BATON_TEST_EVENTS_MAXLEN", "100000")),
    )
)
dramatiq.set_broker(broker)

QUEUE = f"{NAMESPACE.strip('{}')}-q".replace(":", "-")


def note(what: str, text: str = "") -> int:
    """Note that something happened in the current step; returns how often it has by now."""
    step = current_step()
    assert step is not None
    return note_at(step, what, text)


def note_at(step: Step, what: str, text: str = "") -> int:
    key = notes_key(step.workflow_id)
    pipe = probe.pipeline()
    pipe.rpush(key, f"{step.name}|{what}|{text}")
    pipe.hincrby(f"{key}:counts", f"{step.name}|{what}")
    pipe.expire(key, 600)
    pipe.expire(f"{key}:counts", 600)
    return int(pipe.execute()[1])


def notes_key(workflow_id: str) -> str:
    return f"{NAMESPACE}:probe:{workflow_id}"


def notes(workflow_id: str) -> list[str]:
    """What was noted in a workflow, in order, as ``step|what|text``."""
    return list(probe.lrange(notes_key(workflow_id), 0, -1))


def on_dep_cancelled(reason: str, step: Step) -> None:
    note_at(step, "on_dep_cancelled", reason)


def on_dep_discarded(reason: str, step: Step) -> None:
    times = note_at(step, "on_dep_discarded", reason)
    if "callback waits" in reason and times == 1:
        let_go("callback")
        wait_for("the end")
    if "callback fails" in reason:
        raise RuntimeError("a callback that fails")


def perform(orders: list[Any], inputs: Any) -> Any:
    """Carry out the order for this run: the n-th for the n-th run, the last one for all later ones."""
    step = current_step()
    if step is None:
        return ["plain", inputs]
    run = note("run", str(step.attempt))
    verb, *rest = orders[min(run, len(orders)) - 1] if orders else ["value", inputs]
    if verb == "once":  # ["once", keys, order]: that order, once there is a value for each key
        for key in rest[0]:
            step.once(key, pay, key)
        verb, *rest = rest[1]
    if verb == "after":  # ["after", name, order]: that order, once name was let go
        wait_for(rest[0])
        verb, *rest = rest[1]
    match verb:
        case "value":
            return rest[0]
        case "inputs":
            return inputs
        case "attempt":
            return step.attempt
        case "snooze":
            return Snooze(*rest)
        case "raise snooze":
            raise Snooze(*rest)
        case "discard":
            return Discard(rest[0])
        case "raise discard":
            raise Discard(rest[0])
        case "cancel":
            return Cancel(rest[0])
        case "raise cancel":
            raise Cancel(rest[0])
        case "fail":
            raise ValueError(rest[0])
        case "expected":
            raise KeyError(rest[0])
        case "rate limit":
            raise dramatiq.RateLimitExceeded("too fast")
        case "retry":
            raise dramatiq.errors.Retry("again", delay=rest[0])
        case "die":
            os.kill(os.getpid(), 9)
            raise AssertionError("it should be dead")
        case "die when":
            wait_for(rest[0])
            os.kill(os.getpid(), 9)
            raise AssertionError("it should be dead")
        case "run":  # which run this is: tells whether a stored result was computed again
            return run
        case (
            "ask"
        ):  # ["ask", key]: the same, after a call that isn't guarded by anything but the step's own result
            pay(rest[0])
            return run
        case "busy":
            time.sleep(rest[0] / 1000)
            return run
        case "run after":
            wait_for(rest[0])
            return run
        case "until cancelled":  # ["until cancelled", name]: then waits for name, and returns all the same
            while not step.cancelled:
                time.sleep(0.01)  # not a wait of a test: the actor is busy
            wait_for(rest[0])
            return "cancelled"
        case "until interrupted":  # the same, but for an exception; then does as it is told
            try:
                wait_for("never")
            except StepCancelled:
                note("interrupted")
                wait_for(rest[0])
                if rest[1] == "raise":
                    raise
                return rest[1]
        case "threads":
            return sorted(thread.name for thread in threading.enumerate())
        case "big":
            return "x" * rest[0]
        case "unstorable":
            return {"pages": [1, object()]}
        case "results":
            return step.results
        case "result of":
            return step.result(rest[0])
        case "wait for":
            wait_for(rest[0])
            return "waited"
        case _:
            raise AssertionError(f"no such order: {verb}")


def pay(key: str) -> str:
    """A call that must not be made again; the first one that is called deadly takes its worker down."""
    if note(f"call {key}") == 1 and key == "deadly":
        os.kill(os.getpid(), 9)
    if provider := os.environ.get("BATON_TEST_PROVIDER"):
        return llm_client.complete(provider, f"{NAMESPACE} {key}")
    return f"paid for {key}"


def wait_for(name: str) -> None:
    """Block until :func:`let_go` is called for ``name``; an exception from another thread ends it too."""
    key = f"{NAMESPACE}:gate:{name}"
    probe.rpush(f"{key}:waiting", 1)
    probe.expire(f"{key}:waiting", 600)
    while not probe.exists(key):
        time.sleep(0.01)  # not a wait of a test: the actor itself is busy until told otherwise


def let_go(name: str) -> None:
    probe.set(f"{NAMESPACE}:gate:{name}", 1, ex=600)


@workflow_actor(
    queue_name=QUEUE,
    max_retries=2,
    min_backoff=20,
    max_backoff=60,
    throws=KeyError,
    on_dep_cancelled=on_dep_cancelled,
    on_dep_discarded=on_dep_discarded,
)
def act(orders: list[Any], inputs: Any = None) -> Any:
    return perform(orders, inputs)


@workflow_actor(queue_name=QUEUE, max_retries=2, min_backoff=20, max_backoff=60)
async def act_async(orders: list[Any], inputs: Any = None) -> Any:
    if orders and orders[0][0] == "await":  # ["await", name]: until interrupted, which name tells
        note("run")
        try:
            await asyncio.sleep(600)  # what is interrupted
        except asyncio.CancelledError:
            note("interrupted")
            probe.rpush(f"{NAMESPACE}:gate:{orders[0][1]}:waiting", 1)
            probe.expire(f"{NAMESPACE}:gate:{orders[0][1]}:waiting", 600)
            raise
    return perform(orders, inputs)


@workflow_actor(queue_name=QUEUE, max_retries=0, notify_shutdown=True)
def act_until_shutdown(orders: list[Any], inputs: Any = None) -> Any:
    return perform(orders, inputs)


@workflow_actor(queue_name=QUEUE, max_retries=0, max_age=1500)
def act_while_young(orders: list[Any], inputs: Any = None) -> Any:
    return perform(orders, inputs)


@workflow_actor(queue_name=QUEUE, max_retries=0)
def act_as_model(orders: dict[str, list[Any]], inputs: Any = None, *, model: str = "") -> Any:
    """Follows the orders for its model; without any it answers with its name and what it was given."""
    return perform(orders.get(model, []), [model, inputs])


@workflow_actor(
    queue_name=QUEUE, max_retries=0, on_dep_cancelled=on_dep_cancelled, on_dep_discarded=on_dep_discarded
)
def synthesize(answers: dict[str, Any]) -> Any:
    return answers


@workflow_actor(queue_name=QUEUE, max_retries=0)
def synthesize_later(answers: dict[str, Any]) -> Any:
    return Snooze(1) if note("run") == 1 else answers


class ActByClass(dramatiq.GenericActor):
    class Meta:
        actor = workflow_actor
        queue_name = QUEUE
        max_retries = 0

    def perform(self, orders: list[Any], inputs: Any = None) -> Any:
        return perform(orders, inputs)


@dramatiq.actor(queue_name=QUEUE)
def plain(key: str, value: str) -> str:
    probe.rpush(f"{NAMESPACE}:probe:{key}", value)
    probe.expire(f"{NAMESPACE}:probe:{key}", 600)
    return "a value that nobody stores"
