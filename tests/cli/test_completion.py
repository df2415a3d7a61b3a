"""The shell completes commands, options and ids."""

from __future__ import annotations

import shutil
import socket
import subprocess

import pytest

from dramatiq_baton import WorkflowRun
from tests.cli import stored
from tests.support.terminal import piped
from tests.support.world import World

VARIABLE = "_DRAMATIQ_BATON_COMPLETE"


@pytest.fixture(scope="module")
def run(valkey_world: World) -> WorkflowRun:
    return stored.completed(valkey_world, "[bold]\u202e")


def offered(world: World, command: str, begun: str, url: str = "") -> list[str]:
    """What fish is offered for a word, each with its help."""
    ended = piped(
        COMP_WORDS=f"dramatiq-baton --namespace {world.namespace} {command} {begun}",
        COMP_CWORD=begun,
        BATON_REDIS_URL=url or world.url,
        **{VARIABLE: "fish_complete"},
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


@pytest.mark.parametrize("command", ["watch", "show", "graph", "list --after"])
def test_an_id_is_completed_and_name_and_state_are_told(
    valkey_world: World, run: WorkflowRun, command: str
) -> None:
    assert offered(valkey_world, command, run.id[:12]) == [f"plain,{run.id}\t[bold]\\u202e, completed"]
    assert not [line for line in offered(valkey_world, command, "no-such-") if line]


def test_nothing_is_offered_if_the_server_is_out_of_reach(valkey_world: World) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        assert not [line for line in offered(valkey_world, "show", "a", url) if line]
    assert not [line for line in offered(valkey_world, "show", "a", "http://x") if line]


def test_a_server_that_accepts_and_says_nothing_is_given_up(valkey_world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        assert not [line for line in offered(valkey_world, "show", "a", url) if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_the_command(shell: str) -> None:
    ended = piped("completion", shell)
    assert ended.returncode == 0
    assert f"{VARIABLE}={shell}_complete" in ended.stdout
    if path := shutil.which(shell):
        subprocess.run([path, "-n"], input=ended.stdout, text=True, check=True)


def test_the_help_tells_how_to_install_it() -> None:
    shown = piped("completion", "--help").stdout
    assert "~/.bashrc" in shown
    assert "~/.zshrc" in shown
    assert "~/.config/fish" in shown


def test_help_lists_the_commands_in_a_sensible_order_each_with_an_example() -> None:
    listed = piped("--help").stdout.partition("Commands:")[2].split("\n")
    names = [line.split()[0] for line in listed if line.strip()]
    assert [name for name in names if name not in ("cancel", "retry", "prune")] == [
        "watch",
        "list",
        "show",
        "graph",
        "demo",
        "completion",
    ]
    for name in names:
        assert "Example:" in piped(name, "--help").stdout
