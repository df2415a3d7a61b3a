"""Two kinds of callers: one blocks, the other awaits the asynchronous twin of the same method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from dramatiq_baton import get_run, get_run_async


class Blocking:
    """Calls methods as they stand."""

    def call(self, of: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a workflow or a run; what iterates is gathered in a list."""
        answer = getattr(of, method)(*args, **kwargs)
        return list(answer) if method == "events" else answer

    def get_run(self, *args: Any) -> Any:
        return get_run(*args)


class Awaiting(Blocking):
    """Awaits their twins, each in an event loop of its own."""

    def call(self, of: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        answer = getattr(of, f"{method}_async")(*args, **kwargs)
        return asyncio.run(_all(answer) if method == "events" else answer)

    def get_run(self, *args: Any) -> Any:
        return asyncio.run(get_run_async(*args))


async def _all(items: AsyncGenerator[Any, None]) -> list[Any]:
    return [item async for item in items]


@pytest.fixture(params=[Blocking(), Awaiting()], ids=["blocking", "awaiting"])
def caller(request: pytest.FixtureRequest) -> Blocking:
    """Each kind of caller in turn."""
    found: Blocking = request.param
    return found
