"""A task that is cancelled, wherever it is: it ends at once, leaves no connection in the middle of something, and
nothing half-submitted (G5)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from dramatiq_baton import StepState, Workflow, WorkflowRun, WorkflowTimeout, get_run_async
from dramatiq_baton.store.submission import STAGED_TTL
from tests.support.by_hand import ByHand
from tests.support.line import Command, Fate, Line
from tests.support.world import World

pytestmark = pytest.mark.one_server(
    "what a line leads to is one server; what a cluster's client does is the same behind it"
)

#: Enough to be staged in several portions, read in several, and cancelled in several.
STEPS = 510
#: No call of these tests sends more commands than this.
MANY = 60


class Cancelling:
    """A line to Redis that cancels a task at its n-th command, and holds that command up until the task has ended.

    Parameters:
      url: The server.
      after: Whether it holds up the reply, so that the command is carried out; else the server never gets it.
    """

    def __init__(self, url: str, *, after: bool) -> None:
        self._after = after
        self._left = 0
        self._cancel: Callable[[], object] = lambda: None
        self._ended = threading.Event()
        self.line = Line(url, fate=self._fate, answered=self._answered)

    async def at(self, number: int, work: Coroutine[Any, Any, Any]) -> bool:
        """Await ``work``, but cancel it at that command. Returns whether it came so far."""
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        self._ended.clear()
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        self._left = number
        try:
            await task
        except asyncio.CancelledError:
            return True
        finally:
            self._left = 0
            self._ended.set()
        return False

    def _fate(self, command: Command) -> Fate:
        if self._after and b"BLOCK" not in command:
            return Fate.KEPT
        return Fate.CUT_BEFORE if self._strikes() else Fate.KEPT

    def _answered(self, command: Command) -> None:
        if self._after:
            self._strikes()

    def _strikes(self) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        if self._left > 0:
            return False
        self._cancel()
        assert self._ended.wait(30), "a task that was cancelled went on"
        return True


@pytest.fixture(params=[False, True], ids=["before", "after"])
def cancelling(request: pytest.FixtureRequest, own_world: World) -> Iterator[Cancelling]:
    cancelling = Cancelling(own_world.url, after=request.param)
    with cancelling.line:
        yield cancelling


@pytest.fixture
def world(own_world: World, cancelling: Cancelling) -> Iterator[World]:
    """A world whose submitter is on the line that cancels."""
    world = World(own_world.url, BATON_TEST_STATE_URL=cancelling.line.url)
    try:
        yield world
    finally:
        world.close()


def large(world: World, id: str) -> Workflow:
    flow = world.flow(id=id)
    for number in range(STEPS):
        flow.add(f"{number}", world.act(), deps=["0"] if number else [])
    return flow


def test_whichever_command_of_a_submission_it_was_all_is_there_or_nothing_runs(
    world: World, cancelling: Cancelling
) -> None:
    async def submit(number: int) -> bool:
        struck = await cancelling.at(number, large(world, f"try {number}").run_async(broker=world.broker))
        if not struck:
            return False
        key = f"workflow:{{try {number}}}"
        if world.redis.exists(f"{world.namespace}:{key}"):
            status = await (await get_run_async(f"try {number}", world.broker)).status_async()
            assert (status.total, len(status.steps)) == (STEPS, STEPS)
            assert status.counts == {StepState.QUEUED: 1, StepState.PENDING: STEPS - 1}
            assert not world.keys(f"{key}:staged:*")
        for left in world.keys(f"{key}:staged:*"):
            assert 0 < world.redis.pttl(left) <= STAGED_TTL
        run = await large(world, f"try {number}").run_async(broker=world.broker)  # on the same connections
        assert (run.id, (await run.status_async()).total) == (f"try {number}", STEPS)
        return True

    tries = next(number for number in range(1, MANY) if not asyncio.run(submit(number)))
    assert tries > STEPS / 200


CALLS: dict[str, Callable[[WorkflowRun], Coroutine[Any, Any, Any]]] = {
    "status": lambda run: run.status_async(),
    "result": lambda run: run.result_async("0"),
    "results": lambda run: run.results_async(),
    "events": lambda run: _all_events(run),
    "wait": lambda run: _wait(run),
    "cancel": lambda run: run.cancel_async(),
}


async def _all_events(run: WorkflowRun) -> int:
    return len([event async for event in run.events_async()])


async def _wait(run: WorkflowRun) -> None:
    with suppress(WorkflowTimeout):
        await run.wait_async(50)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_whichever_command_of_a_call_it_was_the_next_calls_get_their_own_answers(
    world: World, cancelling: Cancelling, call: Callable[[WorkflowRun], Coroutine[Any, Any, Any]]
) -> None:
    other = world.flow("other", id="other")
    other.add("a", world.act())
    world.run(other)
    run = world.run(large(world, "one"))

    async def caller() -> None:
        for number in range(1, MANY):
            struck = await cancelling.at(number, call(run))
            assert (await get_run_async("other", world.broker)).name == "other"
            assert (await run.status_async()).total == STEPS
            if not struck:
                return
        raise AssertionError("it never came to its end")

    with closing(ByHand(world, url=world.url)) as hand:
        hand.complete(run, "0", "a result")
    asyncio.run(caller())
