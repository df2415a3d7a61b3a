"""Talks: the drivers of both kinds of callers take them the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dramatiq_baton import WorkflowState
from dramatiq_baton.store import reading
from dramatiq_baton.store.talks import (
    Ask,
    Pause,
    Question,
    Talk,
    Tell,
    Telling,
    hold,
    hold_async,
    listen,
    listen_async,
)
from tests.support.by_hand import ByHand
from tests.support.world import World


def answer(question: Question) -> Any:
    """Answers a question with its own words; one of them is too much."""
    assert isinstance(question, Ask)
    if question.command == ("fail",):
        raise LookupError("no such thing")
    return question.command


async def answer_later(question: Question) -> Any:
    await asyncio.sleep(0)
    return answer(question)


def hold_in_loop(talk: Talk[Any]) -> Any:
    return asyncio.run(hold_async(talk, answer_later))


def listen_in_loop(talk: Telling[Any, Any]) -> list[Any]:
    async def caller() -> list[Any]:
        return [item async for item in listen_async(talk, answer_later)]

    return asyncio.run(caller())


HOLD = pytest.mark.parametrize(
    "take", [lambda talk: hold(talk, answer), hold_in_loop], ids=["blocking", "awaiting"]
)
LISTEN = pytest.mark.parametrize(
    "take", [lambda talk: list(listen(talk, answer)), listen_in_loop], ids=["blocking", "awaiting"]
)
Take = Callable[[Any], Any]


@HOLD
def test_a_talk_gets_its_answers_in_order_and_asks_others(take: Take) -> None:
    def inner() -> Talk[Any]:
        return (yield Ask("b"))

    def outer() -> Talk[Any]:
        first = yield Ask("a")
        second = yield from inner()
        return first, second

    assert take(outer()) == (("a",), ("b",))


@HOLD
def test_an_error_is_raised_where_the_talk_asked(take: Take) -> None:
    def going_on() -> Talk[Any]:
        try:
            yield Ask("fail")
        except LookupError:
            return (yield Ask("instead"))

    def giving_up() -> Talk[Any]:
        yield Ask("fail")

    assert take(going_on()) == ("instead",)
    with pytest.raises(LookupError, match="no such thing"):
        take(giving_up())


@LISTEN
def test_what_a_talk_tells_comes_in_order_before_an_error(take: Take) -> None:
    def telling() -> Telling[Any, None]:
        yield Tell("first")
        yield Tell((yield Ask("second")))
        try:
            yield Ask("fail")
        except LookupError:
            yield Tell("third")

    assert take(telling()) == ["first", ("second",), "third"]


def test_nothing_is_asked_before_the_first_item_is_wanted() -> None:
    def telling() -> Telling[Any, None]:
        raise AssertionError("it was asked")
        yield Tell("never")

    listen(telling(), answer)
    listen_async(telling(), answer_later)


def test_a_script_that_the_server_has_forgotten_is_sent_again(own_world: World, by_hand: ByHand) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    for _ in range(2):
        own_world.redis.script_flush()
        assert asyncio.run(run.status_async()).state is WorkflowState.EXECUTING


def test_the_status_of_a_large_workflow_is_made_with_pauses(own_world: World, by_hand: ByHand) -> None:
    """An event loop sees to its other tasks meanwhile."""
    flow = own_world.flow()
    for number in range(3 * reading.AT_ONCE):
        flow.add(f"{number}", own_world.act(), delay=3_600_000)
    run = own_world.run(flow)
    pauses = []

    def noting(question: Question) -> Any:
        if isinstance(question, Pause):
            pauses.append(question)
        return by_hand.store.connections.answer(question)

    status = hold(reading.status.talk(by_hand.store, run.id), noting)
    assert (status.total, len(pauses)) == (3 * reading.AT_ONCE, 2 * 3)
    run.cancel()
