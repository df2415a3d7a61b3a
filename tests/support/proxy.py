"""A TCP proxy between one process and its Redis server, at which things can go wrong.

It passes one command after the other and its reply back, and calls its watcher before each command is
delivered and when its reply is there, before the process gets it. A watcher may kill the process, cut
its connections, or hold the command up.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit, urlunsplit

from .resp import ConnectionEnded, read_command, read_reply


class Watcher(Protocol):
    """Is told of each command, in the thread of its connection; several connections at a time."""

    def before(self, command: list[bytes]) -> None:
        """Called before a command is delivered."""

    def after(self, command: list[bytes], reply: bytes) -> None:
        """Called when a command's reply has come, before it is passed on."""


class Proxy:
    """Listens on a port of its own; :attr:`url` is what the process must be given.

    Parameters:
      url: The server's URL.
      watcher: Told of each command.
    """

    def __init__(self, url: str, watcher: Watcher) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._watcher = watcher
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._closed = False
        self._down = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}"))
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> None:
        """Cut all connections. What was delivered is carried out, but no reply gets through."""
        with self._lock:
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            connection.close()

    def go_down(self) -> None:
        """Cut all connections and let no new ones through until :meth:`come_up`."""
        self._down = True
        self.cut()

    def come_up(self) -> None:
        self._down = False

    def close(self) -> None:
        """Cut all connections and stop listening."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._down or self._closed:
                client.close()
                continue
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            connection = _Connection(client, server)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="proxy", daemon=True).start()

    def _serve(self, connection: _Connection) -> None:
        try:
            while True:
                raw, command = read_command(connection.from_client)
                self._watcher.before(command)
                connection.server.sendall(raw)
                reply = read_reply(connection.from_server)
                self._watcher.after(command, reply)
                connection.client.sendall(reply)
        except (ConnectionEnded, OSError):
            pass
        finally:
            connection.close()
            with self._lock:
                self._connections.discard(connection)


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.from_client: BinaryIO = client.makefile("rb")
        self.from_server: BinaryIO = server.makefile("rb")

    def close(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
            end.close()
