"""Watches which commands a server carries out, in order, with ``MONITOR``."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from dramatiq_baton.store.scripts import script

LINE = re.compile(r"(?P<at>\d+\.\d+) \[\d+ (?P<client>[^\]]+)\] (?P<words>.*)")
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Seen:
    """A command that was carried out.

    Attributes:
      at: When, by the server's clock, in seconds.
      client: Whose it was; ``lua`` for one inside a script.
      words: The command and its arguments, escaped as the server escapes them (``\\x1f`` is four characters).
    """

    at: float
    client: str
    words: tuple[str, ...]

    def runs(self, name: str) -> bool:
        """Whether it runs the script of that name. One that the server had to be sent first counts once, too."""
        return self.words[0].upper() == "EVALSHA" and self.words[1] == script(name).sha

    def has(self, *parts: str) -> bool:
        """Whether each of these stands somewhere in its arguments."""
        return all(any(part in word for word in self.words) for part in parts)


class Monitor:
    """Reads what a server carries out from the moment on when this is made.

    Parameters:
      url: The server's URL. All its databases are watched.
      namespace: Only commands that name it are reported.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._namespace = namespace
        self._client = redis.Redis.from_url(url, decode_responses=True)
        pool = redis.Redis.from_url(url).connection_pool
        self._connection: Any = pool.make_connection()
        self._connection.connect()
        self._connection.send_command("MONITOR")
        self._connection.read_response()

    def until(self, condition: Callable[[Seen], bool], *, times: int = 1, timeout: float = 30) -> list[Seen]:
        """All commands that come, up to the one that is as it should be for the n-th time."""
        found: list[Seen] = []
        deadline = time.monotonic() + timeout
        while times:
            came = self._connection.can_read(timeout=max(0, deadline - time.monotonic()))
            assert came, f"the command that was waited for didn't come within {timeout} s"
            seen = _seen(self._connection.read_response(disconnect_on_error=False))
            if seen is None or not seen.has(self._namespace):
                continue
            found.append(seen)
            times -= condition(seen)
        return found

    def wait(self, condition: Callable[[Seen], bool], timeout: float = 30) -> Seen:
        """Wait for a command."""
        return self.until(condition, timeout=timeout)[-1]

    def so_far(self) -> list[Seen]:
        """All commands up to now that have not been reported yet."""
        mark = f"{self._namespace}:mark:{secrets.token_hex(8)}"
        self._client.echo(mark)
        return self.until(lambda seen: seen.has(mark))[:-1]

    def close(self) -> None:
        self._connection.disconnect()
        self._client.close()


@contextmanager
def monitoring(url: str, namespace: str) -> Iterator[Monitor]:
    """A monitor for as long as the block lasts."""
    monitor = Monitor(url, namespace)
    try:
        yield monitor
    finally:
        monitor.close()


def _seen(reply: bytes) -> Seen | None:
    match = LINE.fullmatch(reply.decode("utf-8", "replace"))
    if match is None:
        return None
    return Seen(float(match["at"]), match["client"], tuple(WORD.findall(match["words"])))
