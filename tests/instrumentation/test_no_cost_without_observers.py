"""Without observers nothing is asked, sent or stored for them; with them no command is sent more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dramatiq_baton.store import scripts
from dramatiq_baton.store.scripts import script
from tests.support.line import Command, Line
from tests.support.world import World

SCRIPTS = sorted(path.stem for path in Path(scripts.__file__).with_name("lua").glob("*.lua"))
CHANGES = ("submit", "claim", "settle", "defer")


def names_of(watched: bool) -> dict[bytes, str]:
    return {script(name, watched=watched).sha.encode(): name for name in CHANGES}


@pytest.fixture
def sent(line: Line, valkey_url: str, request: pytest.FixtureRequest) -> list[Command]:
    """What submitter and worker send to run a workflow, with such observers."""
    env = {"BATON_TEST_STATE_URL": line.url, "BATON_TEST_OBSERVERS": request.param}
    world = World(valkey_url, **env)
    try:
        flow = world.flow()
        value = flow.add("a", world.act(["snooze", 10], ["value", 1]))
        for name in "bcd":
            value = flow.add(name, world.act(inputs=value))
        with world.worker_running(threads=1):
            run = world.run(flow)
            run.wait(timeout=30_000)
        key = f"{world.namespace}:workflow:{{{run.id}}}"
        if request.param == "":
            assert set(world.redis.hkeys(f"{key}:edges")) == {"0:"}
        return [command for command in line.commands if command[0] == b"EVALSHA"]
    finally:
        world.close()


def count(sent: list[Command], names: dict[bytes, str]) -> Counter[tuple[str, int]]:
    """How often each script was run that makes a change, and with how many arguments."""
    return Counter((names[command[1]], len(command)) for command in sent if command[1] in names)


#: What such a workflow takes: scripts that make changes, and how many arguments they have.
TAKEN = {
    ("submit", 31): 1,
    ("claim", 17): 2,
    ("claim", 18): 3,  # the dep whose result is wanted
    ("settle", 17): 4,
    ("defer", 19): 1,
}


@pytest.mark.parametrize("sent", [""], indirect=True)
def test_without_observers_the_scripts_are_the_plain_ones(sent: list[Command]) -> None:
    assert count(sent, names_of(watched=False)) == TAKEN
    assert count(sent, names_of(watched=True)) == {}


@pytest.mark.parametrize("sent", ["prometheus", "opentelemetry"], indirect=True)
def test_with_observers_as_many_commands_have_one_argument_more(sent: list[Command]) -> None:
    one_more = {(name, length + 1): times for (name, length), times in TAKEN.items()}
    assert count(sent, names_of(watched=True)) == one_more
    assert count(sent, names_of(watched=False)) == {}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_plain_scripts_know_nothing_of_news(name: str) -> None:
    text = script(name).text
    assert not any(part in text for part in ("local news", "WORDS", "CARRIED"))
