"""What the commands of a worker or submitter are called, and which of them are struck.

Counted is every command that changes something or hands out work:

- each of Baton's scripts about a workflow, and ``renew``;
- each of the broker's commands that moves a message: enqueue, ack, nack, requeue;
- every other command that writes: whatever a later version may send;
- a ``fetch`` that gets messages, a ``blpop`` that is woken, and a ``sweep`` that gets something to do. Whether
  they do shows in the reply, so they are struck behind it only. Before it there is nothing to see: a crash there is
  one just behind the command before.

Not counted are commands that read or set up a connection, fetches that get nothing and looks of an idle rescue.
They come at any moment and change nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files

import dramatiq.brokers.redis

from dramatiq_baton.store.scripts import script

#: Commands that read, or set up a connection.
HARMLESS = frozenset(
    (
        *("auth", "client", "hello", "select", "ping", "info", "script", "cluster", "command"),
        *(
            "get",
            "exists",
            "hget",
            "hmget",
            "hscan",
            "zscore",
            "zrange",
            "zrangebyscore",
            "zrevrangebyscore",
            "zcard",
        ),
        *("xread", "xrange", "xrevrange"),
    )
)
#: Scripts that change nothing.
READING_SCRIPTS = frozenset(("results", "snapshot", "maxstack"))
#: Scripts about no step in particular.
WITHOUT_STEP = frozenset(
    ("renew", "sweep", "stage", "submit", "spread", "cancel", "retry", "prune", "maxstack", "fetch")
)
#: Commands that count only if the answer holds any text: empty lists, and in how many ms to look again, say nothing.
ASKING = frozenset(("fetch", "sweep", "blpop"))


@cache
def _scripts() -> dict[str, str]:
    """The names of all scripts by their digests."""
    paths = (files("dramatiq_baton.store") / "lua").iterdir()
    names = [path.name[:-4] for path in paths if path.name.endswith(".lua")]
    found = {script(name, watched=watched).sha: name for name in names for watched in (False, True)}
    for path in files("dramatiq_baton.brokers").iterdir():
        if path.name.endswith(".lua"):
            found[hashlib.sha1(path.read_bytes()).hexdigest()] = path.name[:-4]
    for name, text in dramatiq.brokers.redis._scripts.items():
        found[hashlib.sha1(text).hexdigest()] = name
    return found


class Command:
    """A command as a person would call it.

    Attributes:
      kind: A script's or a command's name; for the broker's commands what Dramatiq calls them.
      about: The step or the message that it is about, where one can tell.
    """

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.kind = parts[0].decode().lower()
        self.about = ""
        self._args: list[bytes] = []
        if self.kind in ("evalsha", "eval"):
            sha = parts[1].decode() if self.kind == "evalsha" else hashlib.sha1(parts[1]).hexdigest()
            self.kind = _scripts().get(sha, self.kind)
            self._args = parts[3 + int(parts[2]) :]
            if self.kind == "dispatch":
                self._read_dispatch()
            elif self.kind == "enqueue":
                self._read_message(self._args[1])
            elif self.kind not in WITHOUT_STEP:
                self.about = self._args[4].decode()

    def _read_dispatch(self) -> None:
        self.kind = self._args[0].decode()
        if self.kind == "enqueue":
            self._read_message(self._args[9])

    def _read_message(self, data: bytes) -> None:
        message = json.loads(data)
        self.about = str(message["options"].get("baton", {}).get("step", message["actor_name"]))
        if message["queue_name"].endswith(".DQ"):
            self.about += ", delayed"

    @property
    def name(self) -> str:
        """The command's name for a table or a failure."""
        return f"{self.kind}({self.about})" if self.about else self.kind

    @property
    def counts(self) -> bool:
        """Whether the command is one to strike at, before or after; see the module's docstring."""
        return self.kind not in HARMLESS and self.kind not in READING_SCRIPTS and self.kind not in ASKING

    def counts_for(self, reply: bytes) -> bool:
        """Whether the command is one to strike at because of its reply."""
        return self.kind in ASKING and b"$" in reply
