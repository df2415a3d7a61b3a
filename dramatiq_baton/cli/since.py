"""``--since``: a time ago, or a place in the stream."""

from __future__ import annotations

import re
import time

import click

_AGO = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ID = re.compile(r"\d+(-\d+)?")


class Since(click.ParamType[str]):
    """Converts to the id behind which to read: ``10m`` (also s, h, d), an event's id, or ``0``."""

    name = "10m|ID|0"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        if ago := _AGO.fullmatch(value):
            moment = time.time() - int(ago[1]) * _SECONDS[ago[2]]
            return str(max(0, int(moment * 1000)))
        if _ID.fullmatch(value):
            return value
        raise click.BadParameter(
            f"{value!r} is neither a time ago such as 10m or 2h, nor an event's id, nor 0", context, param
        )
