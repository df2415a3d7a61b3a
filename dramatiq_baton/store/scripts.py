"""The Lua scripts, and how they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from .connection import Argument, Connections

#: Scripts about no particular workflow; they don't need what the others share.
STANDALONE = ("renew", "stage", "sweep")


class Script:
    """One script by its name. The server is sent its text only if it doesn't know it yet."""

    def __init__(self, name: str) -> None:
        folder = files(__package__) / "lua"
        text = (folder / f"{name}.lua").read_text("utf-8")
        if name not in STANDALONE:
            text = (folder / "common.lua").read_text("utf-8") + text
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, connections: Connections, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return connections.ask("EVALSHA", self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return connections.ask("EVAL", self.text, len(keys), *keys, *args)


@cache
def script(name: str) -> Script:
    """The script that is stored as ``lua/<name>.lua``."""
    return Script(name)
