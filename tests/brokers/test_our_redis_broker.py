"""``dramatiq_baton.brokers.RedisBroker``: a drop-in for Dramatiq's own that blocks instead of polling."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker as StockBroker

from dramatiq_baton.brokers import RedisBroker
from tests.support.servers import bundled_server


class Shop:
    """A queue that brokers of both kinds work on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.namespace = f"test-{secrets.token_hex(4)}"
        self.redis = redis.Redis.from_url(url, decode_responses=True)

    def broker(self, kind: type[StockBroker]) -> tuple[StockBroker, dramatiq.Actor[[str], None]]:
        broker = kind(url=self.url, namespace=self.namespace)
        key = f"{self.namespace}:done"
        client = self.redis

        @dramatiq.actor(broker=broker, actor_name="work", queue_name="q", max_retries=0)
        def work(what: str) -> None:
            client.rpush(key, what)

        return broker, work

    def done(self) -> str:
        """Wait for the next message to be processed."""
        found = self.redis.blpop([f"{self.namespace}:done"], timeout=30)
        assert isinstance(found, tuple), "nothing was processed"
        return str(found[1])


@pytest.fixture
def shop(valkey_url: str) -> Iterator[Shop]:
    shop = Shop(valkey_url)
    yield shop
    for key in shop.redis.scan_iter(f"{shop.namespace}*"):
        shop.redis.delete(key)
    shop.redis.close()


@pytest.fixture
def quiet_shop() -> Iterator[Shop]:
    """A shop on a server of its own, where nobody else asks anything."""
    server = bundled_server()
    shop = Shop(f"redis://127.0.0.1:{server.port}/0")
    yield shop
    shop.redis.close()
    server.terminate()


@contextmanager
def worker(broker: dramatiq.Broker) -> Iterator[None]:
    running = dramatiq.Worker(broker, worker_threads=2)
    running.start()
    try:
        yield
    finally:
        running.stop()
        broker.close()


@pytest.mark.parametrize("producer", [StockBroker, RedisBroker])
@pytest.mark.parametrize("consumer", [StockBroker, RedisBroker])
def test_both_kinds_work_on_one_queue(
    shop: Shop, producer: type[StockBroker], consumer: type[StockBroker]
) -> None:
    broker, _ = shop.broker(consumer)
    _, theirs = shop.broker(producer)
    with worker(broker):
        theirs.send("now")
        assert shop.done() == "now"
        theirs.send_with_options(args=("later",), delay=200)
        assert shop.done() == "later"
        broker.join("q", timeout=10_000)


def test_messages_are_processed_in_order_when_none_could_wait_for_them(shop: Shop) -> None:
    broker, work = shop.broker(RedisBroker)
    for number in range(50):
        work.send(str(number))
    with worker(broker):
        assert sorted(int(shop.done()) for _ in range(50)) == list(range(50))
        broker.join("q", timeout=10_000)


def test_delayed_messages_come_in_the_order_in_which_they_are_due(shop: Shop) -> None:
    broker, work = shop.broker(RedisBroker)
    with worker(broker):
        work.send_with_options(args=("third",), delay=900)
        work.send_with_options(args=("first",), delay=100)
        work.send_with_options(args=("second",), delay=500)
        assert [shop.done() for _ in range(3)] == ["first", "second", "third"]
        broker.join("q", timeout=10_000)


def test_wake_ups_that_nobody_reads_do_not_pile_up_and_expire(shop: Shop) -> None:
    broker, work = shop.broker(RedisBroker)
    for number in range(100):
        work.send(str(number))
    key = f"{shop.namespace}:q.wake"
    assert shop.redis.llen(key) == 1
    assert shop.redis.pttl(key) > 0
    broker.close()


def test_a_waiting_worker_asks_the_server_only_now_and_then(quiet_shop: Shop) -> None:
    """Idle consumers block: of the many polls of stock consumers nothing is left."""
    shop = quiet_shop
    broker, work = shop.broker(RedisBroker)
    with worker(broker):
        work.send("warm")
        assert shop.done() == "warm"
        before = shop.redis.info("commandstats")
        work.send_with_options(args=("much later",), delay=2500)
        assert shop.done() == "much later"
        after = shop.redis.info("commandstats")
    fetches = after["cmdstat_lpop"]["calls"] - before["cmdstat_lpop"]["calls"]
    assert fetches < 20  # a stock worker needs about 40 for two queues in that time
