"""``dramatiq-baton graph`` through the real executable, in a pipe and on a terminal."""

from __future__ import annotations

import json

import pytest

from dramatiq_baton import WorkflowRun
from dramatiq_baton.dot import to_dot
from tests.cli import stored
from tests.cli.stored import HOSTILE, target
from tests.support.terminal import Terminal, piped
from tests.support.world import World


@pytest.fixture(scope="module")
def run(valkey_world: World) -> WorkflowRun:
    return stored.failed(valkey_world)


def test_in_a_pipe_the_tree_is_plain_and_uncut(valkey_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "graph", run.id)
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert lines[0] == f"✗ failed  brief  {run.id}"
    assert lines[3:5] == ["✓ fetch", f"↓ ✗ {HOSTILE}  evil ␛[31mred␇ ␊[blink]reason"]
    assert lines[5].startswith("↓ ⊘ last  dep ")
    assert lines[5].endswith("reason")


def test_on_a_terminal_no_line_is_wider_than_it(valkey_world: World, run: WorkflowRun) -> None:
    terminal = Terminal(*target(valkey_world), "graph", run.id, columns=60)
    assert terminal.ended() == 0
    assert "evil" in terminal.output
    assert "…" in terminal.output
    assert "blink]reason" not in terminal.output


def test_an_output_without_unicode_gets_ascii(valkey_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "graph", run.id, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert ended.stdout.isascii()
    assert "\nv fetch\n| x [bold]" in ended.stdout


def test_the_other_formats_are_those_of_the_library(valkey_world: World, run: WorkflowRun) -> None:
    mermaid = piped(*target(valkey_world), "graph", run.id, "--format", "mermaid")
    assert mermaid.stdout == run.to_mermaid()
    assert mermaid.stdout.startswith("flowchart TD\n")
    dot = piped(*target(valkey_world), "graph", run.id, "--format", "dot")
    assert dot.stdout == to_dot(run.status())


def test_json_tells_nodes_and_edges(valkey_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "graph", run.id, "--json")
    assert ended.stdout.isascii()
    assert json.loads(ended.stdout) == {
        "id": run.id,
        "name": "brief",
        "state": "failed",
        "nodes": [
            {"name": "fetch", "state": "completed", "actor": "act"},
            {"name": HOSTILE, "state": "discarded", "actor": "act"},
            {"name": "last", "state": "cancelled", "actor": "act"},
        ],
        "edges": [["fetch", HOSTILE], [HOSTILE, "last"]],
    }


def test_json_and_a_format_exclude_one_another(valkey_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "graph", run.id, "--json", "--format", "dot")
    assert ended.returncode == 2
    assert ended.stderr == "dramatiq-baton: --json and --format exclude one another\n"
