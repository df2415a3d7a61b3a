"""G7: waiting costs nothing: a blocked step (``dispatch="ready"``) causes no Redis traffic."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from dramatiq_baton import StepState
from dramatiq_baton.store.scripts import script
from tests.support.lab import Lab
from tests.support.servers import bundled_server
from tests.support.world import World

SWEEPS = 5
SWEEP, RENEW = script("sweep").sha, script("renew").sha

#: What a server was asked, one script or command after the other: its text, and what the script then did.
Overheard = list[tuple[str, list[str]]]
Overhear = Callable[[int], tuple[str, Overheard]]


@pytest.fixture
def server_url() -> Iterator[str]:
    """A server that nobody else talks to."""
    server = bundled_server()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.terminate()


@pytest.fixture
def overhear(server_url: str, valkey_url: str) -> Overhear:
    """Have one step run and so many wait for it, and listen meanwhile. Messages are on another server."""

    def overhear(blocked: int) -> tuple[str, Overheard]:
        world = World(server_url)
        lab = Lab(world, broker_url=valkey_url, lease_ttl=600, rescue_interval=100)
        started, go_on = threading.Event(), threading.Event()

        @lab.actor
        def running() -> str:
            started.set()
            assert go_on.wait(60)
            return "done"

        @lab.actor
        def waiting(page: str) -> str:
            return page

        flow = world.flow()
        page = flow.add("running", running.message())
        for number in range(blocked):
            flow.add(f"blocked {number}", waiting.message(page))
        try:
            with lab.working():
                run = lab.run(flow)
                assert started.wait(30)
                assert run.status().counts.get(StepState.PENDING, 0) == blocked
                overheard = listen(server_url)
                go_on.set()
                assert run.wait(timeout=60_000).counts == {StepState.COMPLETED: blocked + 1}
        finally:
            go_on.set()
            lab.close()
            world.close()
        return run.id, overheard

    return overhear


def listen(url: str) -> Overheard:
    """Everything until the rescue has looked :data:`SWEEPS` times."""
    client = redis.Redis.from_url(url)
    overheard: Overheard = []
    with client.monitor() as monitor:
        while sum(SWEEP in asked for asked, _ in overheard) < SWEEPS + 1:
            entry: dict[str, Any] = monitor.next_command()
            if entry["client_type"] != "lua":
                overheard.append((entry["command"], []))
            elif overheard:
                overheard[-1][1].append(entry["command"])
    client.close()
    overheard.pop()  # this sweep may not have been heard to its end
    return [(asked, done) for asked, done in overheard if not asked.startswith("CLIENT")]


def test_nothing_is_asked_about_a_blocked_step(overhear: Overhear) -> None:
    workflow_id, overheard = overhear(30)
    lines = [line for asked, done in overheard for line in (asked, *done)]
    assert not [line for line in lines if "blocked" in line]
    assert not [line for line in lines if workflow_id in line and "running" not in line]


def test_with_blocked_steps_the_same_is_asked_as_with_none(overhear: Overhear) -> None:
    def asked(overheard: Overheard) -> dict[str, set[tuple[str, ...]]]:
        """Which scripts were called, and what each of them did there."""
        named: dict[str, set[tuple[str, ...]]] = {}
        for command, done in overheard:
            name = next((sha for sha in (SWEEP, RENEW) if sha in command), command)
            if done:  # else it was a script that the server didn't know yet
                named.setdefault(name, set()).add(tuple(line.split(" ")[0].upper() for line in done))
        return named

    with_none, with_many = asked(overhear(0)[1]), asked(overhear(30)[1])
    assert with_many.keys() <= {SWEEP, RENEW}
    assert with_many[SWEEP] == with_none[SWEEP]
    assert all(with_many[name] <= with_none[name] for name in with_many)
