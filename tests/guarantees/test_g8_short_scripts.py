"""G8: no single script or command holds Redis for long, whatever the size of the graph.

Time is what the guarantee is about, and what a machine shared with others can't measure. What a script
*does* can be counted on any machine: so many commands, and none that looks at all of something large.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import StepState, Workflow, WorkflowState
from dramatiq_baton.store import reading, steering
from tests.support.by_hand import ByHand
from tests.support.line import Command, Line
from tests.support.servers import bundled_server
from tests.support.world import World

WIDTH = 10_000
#: Wide enough to break every limit below if it were worked off at once.
ENOUGH = 2_000
#: Commands within one script. A tenth of a millisecond for each hundred of them is a lot.
MOST_COMMANDS = 1_500
#: Arguments of one command.
MOST_ARGUMENTS = 1_000
#: Commands whose cost doesn't grow with the size of what they look at, or only with a portion of it.
BOUNDED = {
    *("exists", "get", "set", "del", "unlink", "pexpire", "pttl", "persist", "rename", "time", "type"),
    *("hget", "hset", "hmget", "hlen", "hincrby", "hscan", "hdel", "hexists"),
    *("zadd", "zrem", "zscore", "zrangebyscore", "sadd", "rpush", "rpop", "llen"),
    *("xadd", "xread", "xrevrange", "evalsha", "eval", "info", "select", "hello"),
    *("client|setinfo", "client"),  # as 6.2 calls it
}  # fmt: skip
#: Read as a whole, but small whatever the graph: the workflow itself, not its steps.
SMALL = {"hgetall": 1, "smembers": 1, "lrange": 1, "del": 1}


class Account:
    """What each call of a script or command came to, on a server that nobody else talks to."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, decode_responses=True)
        self._client.config_resetstat()
        self._before = self._calls()
        self.commands: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.calls = 0

    def _calls(self) -> Counter[str]:
        stats = self._client.info("commandstats")
        return Counter({name.removeprefix("cmdstat_"): entry["calls"] for name, entry in stats.items()})

    def add(self, command: Command) -> None:
        after = self._calls()
        done = after - self._before
        done -= Counter({"info": 1})
        self._before = after
        self.commands += done
        self.calls += 1
        name = b" ".join(command[:2])[:60].decode("latin-1")
        if done.total() > MOST_COMMANDS:
            self.wrong.append(f"{name} ran {done.total()} commands: {done}")
        if len(command) > MOST_ARGUMENTS:
            self.wrong.append(f"{name} has {len(command)} arguments")
        if unbounded := done.keys() - BOUNDED - SMALL.keys():
            self.wrong.append(f"{name} ran {unbounded}")
        for small, most in SMALL.items():
            if done[small] > most:
                self.wrong.append(f"{name} ran {small} {done[small]} times")
        upper = [part.upper() for part in command[:8]]
        if upper[0] in (b"HSCAN", b"XREAD", b"XREVRANGE") and b"COUNT" not in upper:
            self.wrong.append(f"{name} has no COUNT")

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def account(counted: tuple[World, ByHand, Account]) -> Account:
    return counted[2]


@pytest.fixture
def counted(valkey_url: str) -> Iterator[tuple[World, ByHand, Account]]:
    """A world, and steps settled by hand, on a server on which every command is counted; messages aren't."""
    server = bundled_server()
    url = f"redis://127.0.0.1:{server.port}/0"
    account = Account(url)
    with Line(url, answered=account.add) as line:
        world = World(url, BATON_TEST_STATE_URL=line.url, BATON_TEST_BROKER_URL=valkey_url)
        hand = ByHand(world, url=line.url)
        yield world, hand, account
        hand.close()
        account.close()
        world.broker.flush_all()
        world.close()
    server.terminate()


def fan(world: World, width: int = ENOUGH, **options: bool) -> Workflow:
    """One step, many that wait for it, and one that waits for all of these."""
    flow = world.flow()
    plainly = world.actors.act_async.message
    first = flow.add("first", plainly([]))
    wide = [flow.add(f"{number}", plainly([], first)) for number in range(width)]
    flow.add("last", plainly([], wide), **options)
    return flow


def test_a_fan_out_and_fan_in_of_10_000_is_worked_off_in_portions(
    counted: tuple[World, ByHand, Account],
) -> None:
    world, hand, account = counted
    run = world.run(fan(world, WIDTH))
    hand.complete(run, "first", "seed")
    status = run.status()
    assert status.counts == {StepState.COMPLETED: 1, StepState.QUEUED: WIDTH, StepState.PENDING: 1}
    for number in range(200):
        hand.complete(run, f"{number}", "x" * 100)
    assert len(run.results()) == 201
    assert len(list(run.events())) == 1 + 2 * 201
    run.to_mermaid()
    assert account.calls > WIDTH / 100
    assert account.wrong == []


def test_a_failure_that_cancels_thousands_of_steps_is_worked_off_in_portions(
    counted: tuple[World, ByHand, Account],
) -> None:
    world, hand, account = counted
    run = world.run(fan(world))
    hand.discard(run, "first")
    assert run.wait(timeout=0).counts == {StepState.DISCARDED: 1, StepState.CANCELLED: ENOUGH + 1}
    assert run.status().state is WorkflowState.FAILED
    assert len(list(run.events())) == 4 + ENOUGH + 1
    assert account.wrong == []


def test_the_results_of_thousands_of_deps_are_read_in_portions(
    counted: tuple[World, ByHand, Account],
) -> None:
    world, hand, account = counted
    run = world.run(fan(world, ignore_cancelled=True))
    hand.discard(run, "first")
    assert run.status().steps["last"].state is StepState.QUEUED
    assert hand.claim(run, "last").word == "run"
    deps = run.status().steps["last"].deps
    assert len(list(reading.results(hand.store, run.id, deps))) == ENOUGH
    hand.settle(run, "last", 1, StepState.COMPLETED, 1)
    assert run.status().state is WorkflowState.FAILED
    assert account.wrong == []


def test_thousands_of_steps_without_deps_are_released_in_portions(
    counted: tuple[World, ByHand, Account],
) -> None:
    world, _, account = counted
    flow = world.flow()
    for number in range(ENOUGH):
        flow.add(f"{number}", world.actors.act_async.message([]))
    assert world.run(flow).status().counts == {StepState.QUEUED: ENOUGH}
    assert account.calls > ENOUGH / 100
    assert account.wrong == []


def test_cancelling_and_retrying_10_000_steps_is_worked_off_in_portions(
    counted: tuple[World, ByHand, Account],
) -> None:
    world, hand, account = counted
    run = world.run(fan(world, WIDTH))
    hand.complete(run, "first", "seed")
    assert run.cancel() == WIDTH + 1
    assert run.status().counts == {StepState.COMPLETED: 1, StepState.CANCELLED: WIDTH + 1}
    assert run.retry() == WIDTH + 1
    assert run.status().counts == {StepState.COMPLETED: 1, StepState.QUEUED: WIDTH, StepState.PENDING: 1}
    assert run.cancel() == WIDTH + 1
    steering.prune(hand.store, run.id, finished_before=2**50)
    assert account.wrong == []


def test_what_is_staged_for_a_workflow_that_exists_is_not_deleted_at_once(
    counted: tuple[World, ByHand, Account],
) -> None:
    """A large hash takes long to free: ``UNLINK`` leaves that to another thread of the server."""
    world, _, account = counted
    flow = fan(world)
    world.run(flow)
    before = account.commands["unlink"]
    assert not world.run(flow).created
    assert account.commands["unlink"] == before + 1
    assert account.wrong == []
