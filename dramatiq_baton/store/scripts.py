"""The Lua scripts, and how they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from .connection import Connections
from .talks import Argument, Ask, Talk

#: What scripts about a workflow share, in ``lua/shared/``; each part builds on those before it.
SHARED = (
    *("keys", "workflow", "spending", "events", "steps", "indexes", "changes", "sending"),
    *("spreading", "filing", "ending", "opening"),
)
#: What only some of them need.
ALSO = {
    "claim": ("pacing", "gate"),
    "settle": ("outcome",),
    "defer": ("pacing",),
    "advance": ("pacing", "gate", "outcome"),
    "cancel": ("walking",),
    "retry": ("walking",),
    "spread": ("walking",),
}
#: What the scripts of a process that has observers have besides, each behind another part: they bring news back. They
#: are scripts of their own, rather than the same with a switch, so that who has none pays nothing for it.
WATCHING = {"indexes": "news", "changes": "deaths", "gate": "words"}
#: Scripts about no particular workflow.
STANDALONE = ("forget", "renew", "stage", "sweep", "tidy")


class Script:
    """One script by its name. The server is sent its text only if it doesn't know it yet.

    Parameters:
      name: Its name.
      watched: Whether it is for a process with observers: then it takes one more argument, the last one, and returns
        ``{reply, news}``. See ``lua/shared/news.lua``.
    """

    def __init__(self, name: str, *, watched: bool = False) -> None:
        shared = () if name in STANDALONE else (*SHARED, *ALSO.get(name, ()))
        if watched:
            shared = tuple(each for part in shared for each in (part, WATCHING.get(part)) if each)
        folder = files(__package__) / "lua"
        parts = [(folder / "shared" / f"{part}.lua").read_text("utf-8") for part in shared]
        own = (folder / f"{name}.lua").read_text("utf-8")
        if watched:
            own = f"local function reply()\n{own}\nend\nreturn {{ reply(), news }}\n"
        self.text = "\n".join([*parts, own])
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, connections: Connections, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        return connections.hold(self.talk(keys, args))

    def talk(self, keys: Sequence[str], args: Sequence[Argument]) -> Talk[Any]:
        try:
            return (yield Ask("EVALSHA", self.sha, len(keys), *keys, *args))
        except NoScriptError:
            return (yield Ask("EVAL", self.text, len(keys), *keys, *args))


@cache
def script(name: str, *, watched: bool = False) -> Script:
    """The script that is stored as ``lua/<name>.lua``; see :class:`Script`."""
    return Script(name, watched=watched)
