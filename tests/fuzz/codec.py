"""Looks for bytes that the readers of stored data neither read nor refuse as they should.

    make fuzz                                   # ten minutes
    make fuzz ARGS="-max_total_time=60"         # libFuzzer's options
    make fuzz ARGS="build/crash-0f3b…"          # what was found, once more

What is stored is read by three readers: of results, specs and records. Whatever the bytes are, each of them gives a
value or raises ``CorruptData``, in time and memory that their size bounds; and a result that was read can be stored,
and is the same when it is read again.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import atheris
import msgpack

with atheris.instrument_imports(include=["dramatiq_baton"]):
    from dramatiq_baton.codec import decode, encode
    from dramatiq_baton.errors import CorruptData
    from dramatiq_baton.graph import Content, Json, StepFlags, StepSpec
    from dramatiq_baton.store.records import pack_spec, unpack_record, unpack_spec

from tests.codec.values import same

#: In megabytes. Much more than any of these bytes may take up.
MOST_MEMORY = 512


def read_result(data: bytes) -> None:
    value = decode(data)
    assert same(decode(encode(value)), value), f"{value!r} is stored as something else"


#: The folder for input that breaks a reader.
FOUND = Path("build")
#: Where the search begins: a value of each kind.
VALUES = (
    [None, True, 1, -1, 2**63, 2**80, -(2**80), 1.5, "text", b"bytes"],
    {"a": [1, {2: (3, {4}, frozenset({5}))}], None: {}, (1, "b"): set()},
    [Decimal("1.50"), Decimal("-NaN7"), UUID(int=7), date(2026, 1, 2), timedelta(-1, 2, 3)],
    [time(1, 2, 3, 4), time(1, tzinfo=UTC, fold=1), datetime(2026, 1, 2, tzinfo=ZoneInfo("Europe/Berlin"))],
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, microseconds=1), "\udc80 zone")),
)
SPEC = StepSpec(
    name="a",
    actor="act",
    queue="default",
    flags=StepFlags.NONE,
    deps=("b", "c"),
    position=1,
    message_id="0f",
    content=Content([1, "x"], {"k": None}, {"max_retries": 3}),
    refs=((("args", 0), "b"),),
    delay=5,
    lane="l",
    quorum=1,
)


def seeds() -> list[bytes]:
    """What Baton itself stores, for each of the readers."""
    specs = (SPEC, replace(SPEC, content=Json('"args":[1],"kwargs":{}', '"max_retries":3')))
    return [
        *(b"\0" + encode(value) for value in VALUES),
        *(b"\1" + b"".join(pack_spec(spec, ["d", "e"])) for spec in specs),
        b"\2" + msgpack.packb([3, 1, 2, 0, 0, 0, 0, 0, 1, 2, "why", 0, 0, 0, 0, 1, 0, 0]),
    ]


#: The first byte of the input chooses one.
READERS: tuple[Callable[[bytes], Any], ...] = (
    read_result,
    lambda data: unpack_spec("a", data),
    lambda data: unpack_record("a", data),
)


def read(data: bytes) -> None:
    if data:
        with suppress(CorruptData):
            READERS[data[0] % len(READERS)](data[1:])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="baton-fuzz-") as corpus:
        for number, seed in enumerate(seeds()):
            Path(corpus, f"{number}").write_bytes(seed)
        FOUND.mkdir(exist_ok=True)
        bounds = (f"-rss_limit_mb={MOST_MEMORY}", "-timeout=5", f"-artifact_prefix={FOUND}/")
        again = any(Path(argument).is_file() for argument in sys.argv[1:])
        atheris.Setup([sys.argv[0], *bounds, *sys.argv[1:], *([] if again else [corpus])], read)
        atheris.Fuzz()
