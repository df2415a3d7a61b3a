"""Times on the command line: a time ago, or a place in the stream."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import click

from .text import fit

# Fifteen digits reach back to the dinosaurs; Python refuses to read thousands of them.
_AGO = re.compile(r"([0-9]{1,15})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_ID = re.compile(r"\d+(-\d+)?")


def moment(value: str) -> int | None:
    """The moment that a time such as ``10m`` (also s, h, d, w) ago was, in milliseconds since 1970.

    No earlier than 1970; ``None`` if *value* isn't such a time.
    """
    ago = _AGO.fullmatch(value)
    if ago is None:
        return None
    return max(0, int(time.time() * 1000) - int(ago[1]) * _SECONDS[ago[2]] * 1000)


class Ago(click.ParamType[int]):
    """Converts a time ago to the moment that it was, in milliseconds since 1970."""

    name = "10m|2h|3d|1w"

    def convert(self, value: str | int, param: click.Parameter | None, context: click.Context | None) -> int:
        if isinstance(value, int):  # click converts defaults, too
            return value
        if (then := moment(value)) is None:
            raise click.BadParameter(
                f"{fit(value, 60)!r} is not a time ago such as 10m, 2h, 3d or 1w", context, param
            )
        return then


def ago_option(
    name: str, *, help: str, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes a time ago, and hands the command the moment that it was."""
    return click.option(name, metavar=Ago.name, type=Ago(), required=required, help=help)


class Since(click.ParamType[str]):
    """Converts to the id behind which to read: ``10m`` (also s, h, d, w), an event's id, or ``0``."""

    name = "10m|ID|0"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        if (then := moment(value)) is not None:
            return str(then)
        if _ID.fullmatch(value):
            return value
        raise click.BadParameter(
            f"{fit(value, 60)!r} is neither a time ago such as 10m or 2h, nor an event's id, nor 0",
            context,
            param,
        )
