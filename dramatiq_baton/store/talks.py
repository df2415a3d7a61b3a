"""What is asked of Redis and what is made of the answers, written once for callers who block and callers who await.

A *talk* is a generator. It yields a question, is sent the answer, goes on with it, and returns what it found out. It
neither knows how a question is asked nor waits for anything, so one of two drivers takes it through: :func:`hold` asks
on the calling thread's own connection, :func:`hold_async` on one of the running event loop's. A talk asks another one
with ``yield from``. An error in place of an answer is raised in it, where it asked.

:class:`Spoken` makes functions of a talk that takes a store::

    @Spoken
    def name_of(store: Store, workflow_id: str) -> Talk[bytes]:
        return (yield Ask("HGET", store.keys.workflow(workflow_id), "name"))

    name_of(store, "a")             # blocks
    await name_of.aio(store, "a")   # awaits
    yield from name_of.talk(store, "a")

:class:`Told` does so for a talk with many things to tell: it yields a :class:`Tell` for each, and whoever reads it gets
one after the other, by :func:`listen` or :func:`listen_async`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from .store import Store

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Argument = str | bytes | int | float  #: what a command may consist of


class Ask:
    """A command that is answered at once. The answer is the server's reply."""

    __slots__ = ("command",)

    def __init__(self, *command: Argument) -> None:
        self.command = command


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for an entry of a stream. The answer is its id, or ``None`` if none came in time.

    Attributes:
      key: The stream.
      since: The id behind which the entry must be.
      seconds: How long to wait at most.
    """

    key: str
    since: str
    seconds: float


class Pause:
    """Nothing is asked, but a while has gone by with computing: an event loop sees to its other tasks."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Tell(Generic[T]):
    """One more item for whoever reads what a talk tells. There is no answer."""

    item: T


Question = Ask | Await | Pause
Talk = Generator[Question, Any, T]
Telling = Generator[Question | Tell[T], Any, R]  #: tells many T, and returns an R to the talk that asked it


def hold(talk: Talk[T], answer: Callable[[Question], Any]) -> T:
    """Take a talk through to its end.

    Parameters:
      talk: The talk.
      answer: Asks a question and returns its answer.
    """
    go_on, said = talk.send, None
    try:
        while True:
            question = go_on(said)
            try:
                go_on, said = talk.send, answer(question)
            except Exception as error:
                go_on, said = talk.throw, error
    except StopIteration as end:
        result: T = end.value
        return result


async def hold_async(talk: Talk[T], answer: Callable[[Question], Awaitable[Any]]) -> T:
    """Take a talk through to its end, as :func:`hold` does, without blocking the event loop."""
    go_on, said = talk.send, None
    try:
        while True:
            question = go_on(said)
            try:
                go_on, said = talk.send, await answer(question)
            except Exception as error:
                go_on, said = talk.throw, error
    except StopIteration as end:
        result: T = end.value
        return result


def listen(talk: Telling[T, Any], answer: Callable[[Question], Any]) -> Iterator[T]:
    """Take a talk through and iterate over what it tells."""
    go_on, said = talk.send, None
    try:
        while True:
            question = go_on(said)
            go_on, said = talk.send, None
            if isinstance(question, Tell):
                yield question.item
                continue
            try:
                said = answer(question)
            except Exception as error:
                go_on, said = talk.throw, error
    except StopIteration:
        return


async def listen_async(
    talk: Telling[T, Any], answer: Callable[[Question], Awaitable[Any]]
) -> AsyncGenerator[T, None]:
    """Take a talk through, as :func:`listen` does, without blocking the event loop."""
    go_on, said = talk.send, None
    try:
        while True:
            question = go_on(said)
            go_on, said = talk.send, None
            if isinstance(question, Tell):
                yield question.item
                continue
            try:
                said = await answer(question)
            except Exception as error:
                go_on, said = talk.throw, error
    except StopIteration:
        return


class Spoken(Generic[P, T]):
    """A talk with a store as a function that blocks; :meth:`aio` is its asynchronous twin.

    Parameters:
      talk: The talk; takes the store first.
    """

    def __init__(self, talk: Callable[Concatenate[Store, P], Talk[T]]) -> None:
        update_wrapper(self, talk)
        self.talk = talk

    def __call__(self, store: Store, *args: P.args, **kwargs: P.kwargs) -> T:
        return store.connections.hold(self.talk(store, *args, **kwargs))

    async def aio(self, store: Store, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.loops.hold(self.talk(store, *args, **kwargs))


class Told(Generic[P, T]):
    """A talk with a store that tells many items, as an iterator that blocks; :meth:`aio` is its asynchronous twin.

    Parameters:
      talk: The talk; takes the store first.
    """

    def __init__(self, talk: Callable[Concatenate[Store, P], Telling[T, Any]]) -> None:
        update_wrapper(self, talk)
        self.talk = talk

    def __call__(self, store: Store, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return listen(self.talk(store, *args, **kwargs), store.connections.answer)

    def aio(self, store: Store, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return listen_async(self.talk(store, *args, **kwargs), store.loops.answer)
