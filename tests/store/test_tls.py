"""TLS with real certificates: workers, submitters of both kinds, the command line; what is wrong is one clear error."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme

from dramatiq_baton import (
    ConfigurationError,
    StoreUnavailable,
    WorkflowNotFound,
    WorkflowState,
    get_run,
    get_run_async,
)
from dramatiq_baton.embedded import free_port
from tests.support.nodes import SERVER, Node
from tests.support.own import MakeLab, leaving_nothing
from tests.support.terminal import piped
from tests.support.world import World


@dataclass(frozen=True)
class Secured:
    """A server that speaks TLS only to who has a certificate, and files to speak to it with.

    Attributes:
      port: Its port.
      folder: Holds ``ca.pem``, who signed the server's certificate; ``client.pem``, one of a client, with its key; and
        ``stranger.pem``, somebody who signed nothing.
    """

    port: int
    folder: Path

    def url(self, host: str = "127.0.0.1", **files: str) -> str:
        named = {name: str(self.folder / file) for name, file in files.items()}
        return f"rediss://{host}:{self.port}/0?{urlencode(named)}"

    @property
    def right(self) -> str:
        return self.url(ssl_ca_certs="ca.pem", ssl_certfile="client.pem", ssl_keyfile="client.pem")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    ca.issue_cert("worker@example.org").private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    port = free_port()
    node = Node(
        executable=server_with_tls(),
        tls_port=str(port),
        tls_cert_file=str(folder / "server.pem"),
        tls_key_file=str(folder / "server.pem"),
        tls_ca_cert_file=str(folder / "ca.pem"),
    )
    yield Secured(port, folder)
    node.close()


def server_with_tls() -> str:
    for executable in (SERVER, shutil.which("redis-server"), shutil.which("valkey-server")):
        if executable and _has_tls(executable):
            return executable
    pytest.skip("no Redis server on this machine is built with TLS")


def _has_tls(executable: str) -> bool:
    linked = subprocess.run(["ldd", executable], capture_output=True, text=True, check=False).stdout
    return "libssl" in linked


@pytest.fixture
def tls_world(secured: Secured) -> Iterator[World]:
    """A world that knows nothing but TLS."""
    with leaving_nothing(World(secured.right, BATON_TEST_BROKER="fast")) as world:
        yield world


def test_workers_submitters_and_the_command_line_speak_tls(secured: Secured, tls_world: World) -> None:
    flow = tls_world.flow()
    first = flow.add("a", tls_world.act(["value", 1]))
    flow.add("b", tls_world.act(inputs=first))
    run = tls_world.finish(flow)
    assert run.result("b") == 1
    shown = piped("--url", secured.right, "--namespace", tls_world.namespace, "show", run.id)
    assert (shown.returncode, shown.stderr) == (0, "")


def test_so_do_asynchronous_callers(tls_world: World) -> None:
    flow = tls_world.flow()
    flow.add("a", tls_world.act(["value", 1]))

    async def call() -> WorkflowState:
        run = await flow.run_async(broker=tls_world.broker)
        return (await run.wait_async(timeout=30_000)).state

    with tls_world.worker_running():
        assert asyncio.run(call()) is WorkflowState.COMPLETED


CA = {"ssl_ca_certs": "ca.pem"}
WRONG: dict[str, tuple[Callable[[Secured], str], str]] = {
    "a certificate that nobody vouches for": (
        lambda s: s.url(),
        "by TLS: .*CERTIFICATE_VERIFY_FAILED.*; check ssl_ca_certs",
    ),
    "one that somebody else vouches for": (
        lambda s: s.url(ssl_ca_certs="stranger.pem"),
        "by TLS: .*CERTIFICATE_VERIFY_FAILED.*; check ssl_ca_certs",
    ),
    "one of another host": (
        lambda s: s.right.replace("127.0.0.1", "localhost"),
        "by TLS: .*[Hh]ostname mismatch.*; check",
    ),
    "a file that there isn't": (
        lambda s: s.url(ssl_ca_certs="nowhere.pem"),
        "ssl_ca_certs='.*nowhere.pem' can't be read",
    ),
    "a file that holds none": (
        lambda s: s.url(**CA, ssl_certfile="ca.pem", ssl_keyfile="ca.pem"),
        "by TLS: .*; check ssl_ca_certs",
    ),
    "an option that there isn't": (
        lambda s: f"{s.right}&ssl_cert_reqs=sometimes",
        "Invalid SSL Certificate Requirements Flag: sometimes; check the URL's options",
    ),
    "options of TLS without it": (
        lambda s: s.right.replace("rediss:", "redis:"),
        "ssl_.*; check the URL's options",
    ),
}


@pytest.mark.parametrize(("url", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_one_clear_error(
    make_lab: MakeLab,
    secured: Secured,
    url: Callable[[Secured], str],
    words: str,
) -> None:
    lab = make_lab(url=url(secured))
    for call in (
        lambda: get_run("any", lab.broker),
        lambda: asyncio.run(get_run_async("any", lab.broker)),
        lambda: lab.baton.runtime(lab.broker).store.check_server(),
    ):
        with pytest.raises(ConfigurationError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
    ended = piped("--url", url(secured), "list")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_server_that_wants_a_certificate_hangs_up_on_who_has_none(
    make_lab: MakeLab, secured: Secured
) -> None:
    """It may say why, or just hang up."""
    lab = make_lab(url=secured.url(**CA))
    for call in (
        lambda: get_run("any", lab.broker),
        lambda: asyncio.run(get_run_async("any", lab.broker)),
    ):
        with pytest.raises((ConfigurationError, StoreUnavailable), match="Redis at 127"):
            call()


def test_a_worker_that_trusts_nobody_says_so_and_does_not_start(
    own_world: World,
    secured: Secured,
) -> None:
    worker = own_world.start_worker(wait=False, env={"BATON_TEST_STATE_URL": secured.url()})
    try:
        assert "ready for action" not in worker.wait_log("CannotStart: ")
        worker.wait_log("check ssl_ca_certs")
    finally:
        worker.kill()


def test_a_certificate_need_not_be_checked(make_lab: MakeLab, secured: Secured) -> None:
    lab = make_lab(url=f"{secured.right.replace('127.0.0.1', 'localhost')}&ssl_check_hostname=false")
    for call in (
        lambda: get_run("any", lab.broker),
        lambda: asyncio.run(get_run_async("any", lab.broker)),
    ):
        with pytest.raises(WorkflowNotFound):
            call()
