"""``step.once`` with functions whose value is awaited."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from dramatiq.middleware import AsyncIO

from dramatiq_baton import Step, Workflow, WorkflowRun, current_step
from tests.support.lab import Lab
from tests.support.line import Command, Fate, Line
from tests.support.own import MakeLab
from tests.support.world import World


def _finish(lab: Lab, work: Callable[[Step], Any]) -> WorkflowRun:
    lab.broker.add_middleware(AsyncIO())

    @lab.actor
    async def actor() -> Any:
        step = current_step()
        assert step is not None
        return await work(step)

    flow = Workflow("flow")
    flow.add("a", actor.message())
    return lab.finish(flow)


def _shapes(lab: Lab) -> dict[str, Callable[[str], Any]]:
    async def call(name: str) -> str:
        await asyncio.sleep(0)
        return f"{name} {lab.note('call')}"

    return {
        "a coroutine function": call,
        "a partial of one": functools.partial(call),
        "a function that returns a coroutine": lambda name: call(name),
        "a function that returns a future": lambda name: asyncio.ensure_future(call(name)),
    }


@pytest.mark.parametrize(
    "shape",
    [
        "a coroutine function",
        "a partial of one",
        "a function that returns a coroutine",
        "a function that returns a future",
    ],
)
def test_the_next_attempt_awaits_the_stored_value(lab: Lab, shape: str) -> None:
    call = _shapes(lab)[shape]

    async def work(step: Step) -> str:
        got = await step.once("draft", call, "draft")
        if step.attempt == 1:
            raise ConnectionError("busy")
        return got

    assert _finish(lab, work).result("a") == "draft 1"
    assert lab.notes == ["call"]


def test_a_plain_function_is_not_awaited(lab: Lab) -> None:
    async def work(step: Step) -> list[int]:
        return [step.once("k", lambda: lab.note("call")) for _ in range(2)]

    assert _finish(lab, work).result("a") == [1, 1]


def test_calls_of_several_keys_run_together(lab: Lab) -> None:
    async def work(step: Step) -> list[int]:
        both = asyncio.Barrier(2)

        async def call(number: int) -> int:
            await asyncio.wait_for(both.wait(), 30)
            return number

        return list(await asyncio.gather(*(step.once(f"{number}", call, number) for number in (1, 2))))

    assert _finish(lab, work).result("a") == [1, 2]


def test_two_calls_of_one_key_at_a_time_get_the_value_that_was_stored_first(lab: Lab) -> None:
    async def work(step: Step) -> list[int]:
        both = asyncio.Barrier(2)

        async def call() -> int:
            await asyncio.wait_for(both.wait(), 30)
            return lab.note("call")

        return list(await asyncio.gather(step.once("k", call), step.once("k", call)))

    first, second = _finish(lab, work).result("a")
    assert first == second
    assert lab.notes == ["call", "call"]


def test_the_event_loop_goes_on_while_redis_is_asked(make_lab: MakeLab, own_world: World) -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    asked = []

    def fate(command: Command) -> Fate:
        """Let nothing about the call pass before the loop has gone round once more."""
        if loops and any(b":once" in part or part == b"k" for part in command):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loops[0]).result(10)
            asked.append(command[0])
        return Fate.KEPT

    async def call() -> str:
        return "done"

    async def work(step: Step) -> str:
        loops.append(asyncio.get_running_loop())
        return await step.once("k", call)

    with Line(own_world.url, fate) as line:
        assert _finish(make_lab(url=line.url), work).result("a") == "done"
    assert asked[0] == b"HGET"
    assert set(asked[1:]) <= {b"EVALSHA", b"EVAL"}
    assert len(asked) >= 2
