"""``dramatiq-baton watch`` through the real executable, in a pipe and on a terminal."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dramatiq_baton import WorkflowRun
from tests.support.by_hand import ByHand
from tests.support.line import Command, Line
from tests.support.terminal import Terminal, piped
from tests.support.world import World

HOSTILE = "[bold]x[/bold]"
EXECUTABLE = Path(sys.executable).with_name("dramatiq-baton")


def target(world: World) -> tuple[str, ...]:
    return ("--url", world.url, "--namespace", world.namespace)


@pytest.fixture
def finished(valkey_world: World) -> WorkflowRun:
    flow = valkey_world.flow("brief")
    a = flow.add("fetch", valkey_world.act(["value", 1]))
    flow.add(f"use {HOSTILE}", valkey_world.actors.act.message([["inputs"]], a))
    return valkey_world.finish(flow)


@pytest.fixture
def failed(valkey_world: World) -> WorkflowRun:
    flow = valkey_world.flow("brief")
    flow.add("fetch", valkey_world.act(["discard", "evil \x1b[31mred\x07 \n[blink]reason"]))
    return valkey_world.finish(flow)


def test_in_a_pipe_each_event_is_a_line(valkey_world: World, finished: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "watch", finished.id, "--exit-on-finish")
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert len(lines) == len(list(finished.events()))
    assert "workflow_started" in lines[0]
    assert "workflow_finished" in lines[-1]
    assert "outcome=completed" in lines[-1]


def test_as_json_each_line_is_an_event(valkey_world: World, finished: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "watch", finished.id, "--exit-on-finish", "--json")
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [
        event.as_dict() for event in finished.events()
    ]


def test_it_exits_with_1_for_a_workflow_that_failed(valkey_world: World, failed: WorkflowRun) -> None:
    assert piped(*target(valkey_world), "watch", failed.id, "--exit-on-finish").returncode == 1


def test_text_of_users_can_not_control_the_terminal(valkey_world: World, failed: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "watch", failed.id, "--exit-on-finish")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.stdout)
    terminal = Terminal(*target(valkey_world), "watch", failed.id, "--exit-on-finish")
    assert terminal.ended() == 1
    assert "\x1b[31mred" not in terminal.output
    assert "\x07" not in terminal.output
    assert "[blink]" in terminal.output


def test_it_exits_at_once_when_the_workflow_finishes_behind_its_back(
    own_world: World, by_hand: ByHand
) -> None:
    """The state that it asked for first says "executing", but the events that it reads then tell of the end."""
    flow = own_world.flow()
    flow.add("a", own_world.act())
    run = own_world.run(flow)
    asked: list[bytes] = []

    def finish(command: Command) -> None:
        if command[0] == b"HMGET" and not asked:
            asked.append(command[0])
            by_hand.complete(run, "a")

    with Line(own_world.url, answered=finish) as line:
        command = ("--url", line.url, "--namespace", own_world.namespace, "watch", run.id, "--exit-on-finish")
        ended = piped(*command)
        assert asked
        assert not [command for command in line.commands if b"BLOCK" in command]
    assert ended.returncode == 0
    assert "workflow_finished" in ended.stdout


def test_since_begins_behind_an_event(valkey_world: World, finished: WorkflowRun) -> None:
    events = list(finished.events())
    ended = piped(
        *target(valkey_world), "watch", finished.id, "--since", events[2].id, "--exit-on-finish", "--json"
    )
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines()] == [e.id for e in events[3:]]


def test_all_workflows_are_tailed_until_interrupted(valkey_world: World, finished: WorkflowRun) -> None:
    with subprocess.Popen(
        [EXECUTABLE, *target(valkey_world), "watch", "--since", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["workflow_id"] == finished.id and event["event"] == "workflow_finished":
                break
        process.send_signal(2)
        assert process.wait(30) == 130


def test_on_a_terminal_a_workflow_is_shown_live(valkey_world: World) -> None:
    world = valkey_world
    flow = world.flow("brief", id=f"{world.namespace}-live")
    first = flow.add("fetch", world.act(["wait for", "live"]))
    flow.add("last", world.actors.act.message([["inputs"]], first))
    assert world.worker
    run = world.run(flow)
    terminal = Terminal(*target(world), "watch", run.id, "--exit-on-finish", columns=80)
    terminal.wait_for("executing")
    terminal.wait_for("pending")
    world.actors.let_go("live")
    assert terminal.ended() == 0
    assert "100 %" in terminal.output


def test_on_a_terminal_all_workflows_are_shown_until_interrupted(
    valkey_world: World, finished: WorkflowRun
) -> None:
    terminal = Terminal(*target(valkey_world), "watch", "--since", "0", columns=160, lines=500)
    terminal.wait_for(finished.id[:12])  # cut short where others have long names
    terminal.interrupt()
    assert terminal.ended() == 130


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["watch", "nobody-knows-it"], "there is no workflow 'nobody-knows-it'"),
        (["watch", "--since", "yesterday"], "Invalid value for '--since'"),
        (["watch", "--exit-on-finish"], "--exit-on-finish needs a WORKFLOW_ID"),
        (["watch", "--frobnicate"], "No such option '--frobnicate'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["--url", "http://x", "watch"], "the Redis URL can't be used"),
        (["--namespace", "a{b", "watch"], "must not contain braces"),
    ],
)
def test_wrong_input_ends_in_one_line_and_exit_2(
    valkey_world: World, arguments: list[str], says: str
) -> None:
    ended = piped(*arguments, BATON_REDIS_URL=valkey_world.url)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr


def test_a_server_out_of_reach_ends_in_one_line_and_exit_2() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ended = piped("--url", f"redis://:secret@127.0.0.1:{unused.getsockname()[1]}/0", "watch")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "doesn't answer" in ended.stderr
    assert "secret" not in ended.stderr
