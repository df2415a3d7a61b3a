"""``run_workflow`` leaves nothing behind: not on its server, and not where the user's own broker works."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq import Broker, group, pipeline
from dramatiq.brokers.redis import RedisBroker

from dramatiq_baton import BatonMiddleware, Workflow, WorkflowState, get_run
from dramatiq_baton.testing import FinishedWorkflow, run_workflow
from dramatiq_baton.testing.server import server_url
from tests.support.world import World

from .shop import HOUR, Shop

Run = Callable[..., FinishedWorkflow]


@pytest.fixture
def real_broker(own_world: World) -> Iterator[Broker]:
    """A user's broker whose Redis is there."""
    broker = RedisBroker(url=own_world.url, namespace=f"{own_world.namespace}:shop")
    broker.add_middleware(BatonMiddleware(namespace=own_world.namespace))
    yield broker
    broker.close()


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(server_url())
    yield client
    client.close()


def test_what_actors_send_and_run_is_processed_here_and_not_by_the_users_broker(
    own_world: World, real_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dramatiq.broker, "global_broker", real_broker)
    shop = Shop(real_broker)

    @shop.plain_actor(max_retries=0)
    def plain(what: str) -> None:
        shop.notes.append(what)
        if what == "failing":
            raise ValueError("boom")

    @shop.plain_actor
    def was_told(message: dict[str, Any], retries: dict[str, Any]) -> None:
        shop.notes.append("no retry is left")

    @shop.actor(max_retries=0, on_retry_exhausted="was_told")
    async def send() -> None:
        plain.send("sent")
        plain.send_with_options(args=("later",), delay=HOUR)
        plain.send("failing")
        group([plain.message("of a group")]).run()
        pipeline([plain.message("piped")]).run()
        other = shop.flow().run()
        assert get_run(other.id).status().total == 1
        raise ValueError("now see what becomes of it")

    flow = Workflow("flow", ignore_discarded=True)
    flow.add("send", send.message())
    flow.add("end", shop.work.message("end"), deps="send", delay=2 * HOUR)
    finished = run_workflow(flow)
    assert finished.state is WorkflowState.FAILED
    assert finished.result("end") == "end 1"
    at_once = ["sent", "failing", "of a group", "piped", "a", "no retry is left"]
    assert sorted(shop.notes[:-2]) == sorted(at_once)
    assert shop.notes[-2:] == ["later", "end"]
    assert list(own_world.redis.scan_iter(f"{own_world.namespace}*", count=1000)) == []


def test_the_users_broker_works_as_before_afterwards_and_in_other_threads(
    own_world: World, real_broker: Broker
) -> None:
    shop = Shop(real_broker)
    plain = shop.plain_actor(lambda: None, actor_name="plain")

    @shop.actor
    def send_from_a_thread() -> None:
        thread = threading.Thread(target=plain.send)
        thread.start()
        thread.join()

    flow = Workflow("flow")
    flow.add("a", send_from_a_thread.message())
    run_workflow(flow, broker=real_broker)
    queue = f"{own_world.namespace}:shop:default"
    assert own_world.redis.llen(queue) == 1
    plain.send()
    assert own_world.redis.llen(queue) == 2
    assert "enqueue" not in vars(real_broker)
    for key in list(own_world.redis.scan_iter(f"{own_world.namespace}:shop*", count=1000)):
        own_world.redis.delete(key)


def test_no_key_is_left_on_the_server(shop: Shop, run: Run, server: redis.Redis) -> None:
    @shop.actor
    def count_keys() -> int:
        return len(server.keys("*"))

    flow = shop.flow("fail", 1000)
    flow.add("count", count_keys.message(), deps="a")
    assert run(flow).result("count") > 0
    assert server.keys("*") == []


def test_no_key_is_left_by_a_run_that_is_cut_short(shop: Shop, run: Run, server: redis.Redis) -> None:
    @shop.actor
    def stop() -> None:
        raise KeyboardInterrupt

    flow = shop.flow()
    flow.add("b", stop.message(), deps="a")
    with pytest.raises(KeyboardInterrupt):
        run(flow)
    with pytest.raises(ValueError, match="no steps"):
        run(Workflow("empty"))
    assert server.keys("*") == []
    assert "enqueue" not in vars(shop.broker)
