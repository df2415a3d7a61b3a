"""The hello of a server that is too old: it tells its version, and knows nothing of a workflow."""

from __future__ import annotations

import contextlib
import socket
import threading

from .resp import ConnectionEnded, read_command


class OldServer:
    """Listens until it is closed.

    Parameters:
      version: What it says it is.
    """

    def __init__(self, version: str) -> None:
        info = f"# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n".encode()
        self._info = b"$%d\r\n%s\r\n" % (len(info), info)
        self.commands: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> OldServer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, contextlib.suppress(ConnectionEnded, OSError):
            while True:
                _, command = read_command(stream)
                self.commands.append(command[0].upper())
                client.sendall(self._answer(command))

    def _answer(self, command: list[bytes]) -> bytes:
        match command[0].upper():
            case b"INFO":
                return self._info
            case b"HMGET":
                return b"*%d\r\n" % (len(command) - 2) + b"$-1\r\n" * (len(command) - 2)
            case _:
                return b"+OK\r\n"
