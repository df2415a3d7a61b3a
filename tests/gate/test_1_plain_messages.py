"""Contract 3, point 1: a message that is no step's passes through, with no Redis command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from dramatiq import pipeline

from dramatiq_baton import Snooze
from tests.support.lab import Lab
from tests.support.state_server import StateServer
from tests.support.world import World


@pytest.fixture
def quiet_lab(split_world: World, valkey_url: str) -> Iterator[Lab]:
    """A lab whose state server hears nothing but what messages cause."""
    lab = Lab(split_world, broker_url=valkey_url, rescue_interval=600_000)
    yield lab
    lab.close()


def _declare(lab: Lab) -> tuple[Any, Any]:
    @lab.plain_actor(max_retries=1, min_backoff=1, max_backoff=1)
    def plain(what: str) -> str:
        if lab.note(f"plain {what}") == 1 and what == "fails":
            raise ValueError("once")
        return what

    @lab.actor
    def workflow_actor(what: str) -> str:
        lab.note(f"workflow actor {what}")
        return what

    return plain, workflow_actor


def _send_all(lab: Lab, plain: Any, workflow_actor: Any) -> None:
    for _ in range(10):
        plain.send("now")
        workflow_actor.send("now")
    plain.send_with_options(args=("later",), delay=50)
    plain.send("fails")
    piped = [plain.message("piped"), workflow_actor.message_with_options(args=("to",), pipe_ignore=True)]
    pipeline(piped, broker=lab.broker).run()
    lab.wait_note("plain now", times=10)
    lab.wait_note("workflow actor now", times=10)
    lab.wait_note("plain later")
    lab.wait_note("plain fails", times=2)
    lab.wait_note("workflow actor to")


def test_plain_messages_cause_no_command_on_the_state_server(
    quiet_lab: Lab, state_server: StateServer
) -> None:
    plain, workflow_actor = _declare(quiet_lab)
    client = redis.Redis.from_url(state_server.url, decode_responses=True)
    with quiet_lab.working():
        client.config_resetstat()
        _send_all(quiet_lab, plain, workflow_actor)
        commands = {name.partition("|")[0] for name in client.info("commandstats")}
    client.close()
    assert commands <= {"cmdstat_config", "cmdstat_info"}


def test_plain_messages_are_processed_while_the_state_server_is_away(
    quiet_lab: Lab, state_server: StateServer
) -> None:
    plain, workflow_actor = _declare(quiet_lab)
    with quiet_lab.working():
        state_server.stop()
        _send_all(quiet_lab, plain, workflow_actor)


def test_a_worker_starts_while_the_state_server_is_away(quiet_lab: Lab, state_server: StateServer) -> None:
    plain, workflow_actor = _declare(quiet_lab)
    state_server.stop()
    with quiet_lab.working():
        _send_all(quiet_lab, plain, workflow_actor)


def test_the_answer_of_a_plain_workflow_actor_is_taken_as_any_actors(lab: Lab) -> None:
    """Outside a workflow ``Snooze`` and the like mean nothing: a raised one is an exception like any other."""

    @lab.actor(max_retries=1, min_backoff=1, max_backoff=1)
    def work() -> None:
        lab.note("ran")
        raise Snooze(60_000)

    with lab.working():
        work.send()
        lab.wait_note("ran", times=2)
