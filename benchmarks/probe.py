"""How the steps of every system tell the driver something: by one command to the server that all of them use."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import redis

#: The environment variable that names the server.
URL = "BENCHMARK_URL"
TOLD = "benchmark:told"
READY = "benchmark:ready"
ORDER = "benchmark:order"
VALUES = "benchmark:values"
#: All keys of this module; what is measured leaves them out.
OWN = "benchmark:"


class TimedOut(Exception):
    """What was waited for didn't come."""


def url() -> str:
    """Where the server is."""
    return os.environ[URL]


@cache
def client() -> redis.Redis:
    """This process's connections to it. Made after a fork: only ever called by running steps."""
    return redis.Redis.from_url(url(), decode_responses=True, socket_timeout=None)


# What steps say.


def tell(value: Any) -> None:
    """Say that a workflow has come to its end, and with which result."""
    client().rpush(TOLD, json.dumps(value))


def ready() -> None:
    """Say that this worker process takes steps."""
    client().rpush(READY, str(os.getpid()))


def visit(step: str, total: int) -> None:
    """Say that a step of a shape runs, and, when all of them have, that the workflow has come to its end."""
    if client().rpush(ORDER, step) == total:
        tell(total)


# A database of the user's own, for systems that pass no results on to the next step.


def save(run: str, step: str, value: Any) -> None:
    """Store a step's result."""
    client().hset(f"{VALUES}:{run}", step, json.dumps(value))


def load(run: str, step: str) -> Any:
    """Read a step's result."""
    return json.loads(client().hget(f"{VALUES}:{run}", step) or "null")


def load_all(run: str) -> list[Any]:
    """Read all results of a run."""
    return [json.loads(value) for value in client().hvals(f"{VALUES}:{run}")]


# What the driver hears.


def hear(timeout: float) -> Any:
    """Wait for the next :func:`tell`.

    Raises:
      TimedOut: If there is none within ``timeout`` seconds.
    """
    found: Any = client().blpop([TOLD], timeout=timeout)
    if found is None:
        raise TimedOut(f"no result within {timeout:g} s")
    return json.loads(found[1])


def order() -> list[str]:
    """The steps of a shape in the order in which they ran; forgotten then."""
    found: Any = client().lrange(ORDER, 0, -1)
    client().delete(ORDER)
    return list(found)
