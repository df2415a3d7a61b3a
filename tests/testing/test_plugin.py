"""The plugin for pytest: it is declared, and its fixtures are what they say. The README's test runs it as users do."""

from __future__ import annotations

import tomllib

import dramatiq
import redis
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton.testing.broker import scratch_broker
from dramatiq_baton.testing.server import server_url
from tests.support.processes import ROOT

from .shop import Shop


def test_pytest_finds_the_plugin_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    # Of one name, so that naming it with -p as well is no mistake.
    assert project["project"]["entry-points"]["pytest11"] == {
        "pytest_dramatiq_baton": "pytest_dramatiq_baton"
    }
    assert project["tool"]["setuptools"]["py-modules"] == ["pytest_dramatiq_baton"]
    assert (ROOT / "pytest_dramatiq_baton.py").is_file()
    assert not any(name.startswith("pytest") for name in project["project"]["dependencies"])


def test_a_worker_can_work_for_the_fixtures_broker(baton_broker: StubBroker, baton_server: str) -> None:
    shop = Shop(baton_broker)
    worker = dramatiq.Worker(baton_broker, worker_timeout=20, worker_threads=2)
    worker.start()
    try:
        run = shop.flow(10).run(broker=baton_broker)
        assert run.wait(timeout=30_000).state == "completed"
        baton_broker.join("default", timeout=30_000)
    finally:
        worker.stop()
    assert run.result("a") == "a 2"
    assert dramatiq.broker.global_broker is not baton_broker
    assert baton_server == server_url()
    assert _keys(baton_server)


def test_the_fixtures_broker_leaves_nothing_behind(baton_server: str) -> None:
    with scratch_broker(baton_server) as broker:
        Shop(broker).flow().run(broker=broker)
        assert _keys(baton_server)
    assert not _keys(baton_server)


def _keys(url: str) -> list[bytes]:
    with redis.Redis.from_url(url) as client:
        return list(client.scan_iter("*"))
