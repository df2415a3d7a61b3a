"""Calls that a step makes once, however often it is executed: their values are stored as results are."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .codec import check_size, decode, encode
from .errors import ResultNotSerializable
from .names import check_name
from .persistence import until_answered
from .store import calls
from .store.store import Address, Store

# The first byte of what is stored. It tells an execution that doesn't call a function whether its value is to be
# awaited, where the function itself doesn't show that.
PLAIN, AWAITED = b"p", b"a"


@dataclass(frozen=True, slots=True)
class Once:
    """What an execution of a step needs for it; see :meth:`.Step.once`.

    Attributes:
      store: Where the values live.
      address: The step.
      token: The lease's.
      limit: How many bytes a value may have.
    """

    store: Store
    address: Address
    token: int
    limit: int

    def call(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The value that is stored for the key, or else that of the call, which then is."""
        check_name(key, what="the key of once()")
        if inspect.iscoroutinefunction(fn):
            return self._call_and_await(key, fn, args, kwargs)
        found = calls.read(self.store, self.address, key)
        if found is not None:
            value = self._decoded(key, found)
            return _at_once(value) if found.startswith(AWAITED) else value
        value = fn(*args, **kwargs)
        if inspect.isawaitable(value):
            return self._await(key, value, AWAITED)
        return self._keep(key, value, PLAIN)

    async def _call_and_await(
        self,
        key: str,
        fn: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        found = await asyncio.to_thread(calls.read, self.store, self.address, key)
        if found is not None:
            return self._decoded(key, found)
        return await self._await(key, fn(*args, **kwargs), PLAIN)

    async def _await(self, key: str, awaitable: Awaitable[Any], mark: bytes) -> Any:
        value = await awaitable
        # Whoever is cancelled here would tell how the step goes on before the value is stored: then it isn't any more.
        return await _to_the_end(asyncio.to_thread(self._keep, key, value, mark))

    def _keep(self, key: str, value: Any, mark: bytes) -> Any:
        """Store a value that a call has just brought. Returns what is stored for the key now."""

        def ask() -> bytes | None:
            # Encoded in here, so that an interrupt doesn't come between the call and this.
            data = mark + self._encoded(key, value)
            return calls.keep(self.store, self.address, self.token, key, data)

        first = until_answered(ask, what="the value of a call", step=self.address.step, running=True)
        return value if first is None else self._decoded(key, first)

    def _decoded(self, key: str, stored: bytes) -> Any:
        what = f"the value of once({key!r}) in step {self.address.step!r} of workflow {self.address.workflow_id!r}"
        return decode(stored[1:], what=what)

    def _encoded(self, key: str, value: Any) -> bytes:
        what = f"step {self.address.step!r}, once({key!r})"
        try:
            data = encode(value)
        except ResultNotSerializable as error:
            raise ResultNotSerializable(f"{what}: {error}") from None
        check_size(data, value, limit=self.limit, what=f"{what}: the value")
        return data


async def _at_once(value: Any) -> Any:
    return value


async def _to_the_end(work: Coroutine[Any, Any, Any]) -> Any:
    """Wait for ``work`` even when cancelled meanwhile; the cancellation is raised behind it."""
    task, late = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            late = cancelled
    if late is not None:
        raise late
    return task.result()
