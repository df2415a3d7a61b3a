"""G10: other messages don't notice Baton: plain actors behave exactly as without it."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dramatiq.results import ResultFailure, ResultMissing

from tests.support.brokers import hang_up
from tests.support.line import Line
from tests.support.modules import load
from tests.support.processes import WorkerProcess
from tests.support.world import World

MODULE = Path(__file__).parents[1] / "support" / "plain_actors.py"
#: What differs from one run to the next whatever runs.
CHANGING = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+": "<time>",
    r"\[PID \d+\] \[[^\]]+\]": "<thread>",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "<id>",
    r"in \d+ milliseconds": "in <delay>",
    r"plain-[0-9a-f]+": "<namespace>",
}


@dataclass
class Outcome:
    """What a run of plain actors came to."""

    log: Counter[str]
    results: list[str]
    dead: list[str]
    asked: list[list[bytes]] = field(default_factory=list)


def run_plain(url: str, state_url: str, extras: str) -> Outcome:
    """Send one message of each kind, and have a worker process them all."""
    namespace = f"plain-{secrets.token_hex(4)}"
    env = {"BATON_TEST_URL": url, "BATON_TEST_NAMESPACE": namespace, "BATON_TEST_WITH": extras}
    with Line(state_url) as line:
        env["BATON_TEST_STATE_URL"] = line.url
        actors = load(MODULE, f"{namespace}-actors", env)
        sent = actors.send_some()
        worker = WorkerProcess("tests.support.plain_actors", env, threads=1)
        try:
            worker.wait_ready()
            actors.broker.join(actors.QUEUE, timeout=60_000)
        finally:
            log = worker.stop()
        outcome = Outcome(
            log=Counter(_unchanging(log)),
            results=[_result(message, actors.backend) for message in sent],
            dead=sorted(_dead_messages(actors)),
            asked=line.commands,
        )
    client = actors.broker.client
    for key in list(client.scan_iter(f"{namespace}:*", count=1000)):
        client.delete(key)
    hang_up(actors.broker)
    actors.backend.client.connection_pool.disconnect()
    return outcome


def _unchanging(log: str) -> Iterator[str]:
    for line in log.splitlines():
        for pattern, name in CHANGING.items():
            line = re.sub(pattern, name, line)
        yield line


def _result(message: Any, backend: Any) -> str:
    try:
        return repr(message.get_result(backend=backend))
    except ResultMissing:
        return "missing"
    except ResultFailure as error:
        return f"{error.orig_exc_type}: {error.orig_exc_msg}"


def _dead_messages(actors: Any) -> Iterator[str]:
    key = f"{actors.NAMESPACE}:broker:{actors.QUEUE}.XQ.msgs"
    for raw in actors.broker.client.hvals(key):
        message = json.loads(raw)
        yield f"{message['actor_name']} {message['args']} {sorted(message['options'])}"


@pytest.fixture(scope="module", params=["valkey-", "valkey-results", "redis-", "redis-results"])
def both(request: pytest.FixtureRequest, valkey_url: str) -> tuple[Outcome, Outcome]:
    """A run without Baton, and one with it."""
    kind, extras = request.param.split("-")
    world: World = request.getfixturevalue(f"{kind}_world")
    return run_plain(world.url, valkey_url, extras), run_plain(world.url, valkey_url, f"{extras} baton")


def test_the_log_is_the_same_line_by_line(both: tuple[Outcome, Outcome]) -> None:
    without, with_baton = both
    assert with_baton.log == without.log
    text = "\n".join(without.log)
    for part in ("was skipped", "Retries exceeded", "expected exception KeyError", "ValueError: boom"):
        assert part in text


def test_the_results_are_the_same(both: tuple[Outcome, Outcome]) -> None:
    without, with_baton = both
    assert with_baton.results == without.results


def test_the_same_messages_end_on_the_dead_letter_queue_with_the_same_options(
    both: tuple[Outcome, Outcome],
) -> None:
    without, with_baton = both
    assert with_baton.dead == without.dead
    assert len(without.dead) >= 4


def test_nothing_is_asked_of_redis_for_them(both: tuple[Outcome, Outcome]) -> None:
    without, with_baton = both
    assert without.asked == []
    handshake = {b"HELLO", b"CLIENT", b"SELECT"}
    asked = [command for command in with_baton.asked if command[0].upper() not in handshake]
    assert asked == [[b"INFO", b"server"]]  # once, when the worker starts
