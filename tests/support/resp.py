"""Just enough of Redis's protocol to tell one command, and one reply, from the next."""

from __future__ import annotations

from typing import BinaryIO


class ConnectionEnded(Exception):
    """The other side closed the connection, perhaps in the middle of something."""


def read_command(stream: BinaryIO) -> tuple[bytes, list[bytes]]:
    """Read one command; returns it as it came, and its parts."""
    line = _line(stream)
    assert line[:1] == b"*", f"not a command: {line!r}"
    raw, parts = [line], []
    for _ in range(int(line[1:])):
        size = _line(stream)
        part = _exactly(stream, int(size[1:]) + 2)
        raw += (size, part)
        parts.append(part[:-2])
    return b"".join(raw), parts


def read_reply(stream: BinaryIO) -> bytes:
    """Read one reply, of either version of the protocol, as it came."""
    raw: list[bytes] = []
    left = 1
    while left:
        line = _line(stream)
        raw.append(line)
        left -= 1
        match line[:1]:
            case b"$" | b"=" | b"!":
                size = int(line[1:])
                if size >= 0:
                    raw.append(_exactly(stream, size + 2))
            case b"*" | b"~" | b">":
                left += max(0, int(line[1:]))
            case b"%":
                left += 2 * int(line[1:])
            case _:
                pass
    return b"".join(raw)


def _line(stream: BinaryIO) -> bytes:
    try:
        line = stream.readline()
    except (OSError, ValueError) as error:  # ValueError: closed by another thread
        raise ConnectionEnded from error
    if not line.endswith(b"\r\n"):
        raise ConnectionEnded
    return line


def _exactly(stream: BinaryIO, size: int) -> bytes:
    try:
        data = stream.read(size)
    except (OSError, ValueError) as error:
        raise ConnectionEnded from error
    if len(data) != size:
        raise ConnectionEnded
    return data
