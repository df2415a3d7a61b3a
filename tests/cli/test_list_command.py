"""``dramatiq-baton list`` through the real executable, in a pipe and on a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from dramatiq_baton import WorkflowRun
from tests.cli import stored
from tests.cli.stored import target
from tests.support.terminal import Terminal, piped
from tests.support.world import World

NAMES = ["first", "second [bold]", "third\u202e"]


@pytest.fixture(scope="module")
def world(valkey_url: str) -> Iterator[World]:
    """A namespace with nothing else in it."""
    world = World(valkey_url)
    yield world
    world.close()


@pytest.fixture(scope="module")
def runs(world: World) -> list[WorkflowRun]:
    """Three workflows, the newest first; the one in the middle failed."""
    make = (stored.completed, stored.failed, stored.completed)
    return [kind(world, name) for kind, name in zip(make, NAMES, strict=True)][::-1]


def ids(world: World, *options: str) -> list[str]:
    ended = piped(*target(world), "list", *options)
    assert ended.returncode == 0, ended.stderr
    return [line.split()[0] for line in ended.stdout.splitlines()]


def test_in_a_pipe_each_workflow_is_a_line_that_begins_with_its_id(
    world: World, runs: list[WorkflowRun]
) -> None:
    lines = piped(*target(world), "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [run.id for run in runs]
    assert re.fullmatch(
        rf"{runs[1].id}  failed +3/3  1  \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d  \d+ms +second \[bold\]", lines[1]
    )
    assert lines[0].endswith("  third\\u202e")
    assert len({line.index("/") for line in lines}) == 1


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--state", "failed"], [1]),
        (["--state", "failed", "--state", "completed"], [0, 1, 2]),
        (["--state", "executing"], []),
        (["--name", "*[[]bold]"], [1]),
        (["--name", "first"], [2]),
        (["--since", "2h"], [0, 1, 2]),
        (["--since", "99999999999d"], [0, 1, 2]),
        (["--older-than", "1w"], []),
        (["--older-than", "0s"], [0, 1, 2]),
        (["--limit", "2"], [0, 1]),
        (["--limit", "0"], [0, 1, 2]),
    ],
)
def test_options_choose_the_workflows(
    world: World, runs: list[WorkflowRun], options: list[str], found: list[int]
) -> None:
    assert ids(world, *options) == [runs[n].id for n in found]


def test_after_goes_on_behind_a_workflow(world: World, runs: list[WorkflowRun]) -> None:
    assert ids(world, "--after", runs[0].id, "--limit", "1") == [runs[1].id]
    gone = piped(*target(world), "list", "--after", "gone")
    assert (gone.returncode, gone.stderr.count("\n")) == (2, 1)
    assert "there is no workflow 'gone'" in gone.stderr


def test_json_is_one_array(world: World, runs: list[WorkflowRun]) -> None:
    ended = piped(*target(world), "list", "--json")
    assert ended.stdout.isascii()
    told = json.loads(ended.stdout)
    status = runs[1].status()
    assert [entry["id"] for entry in told] == [run.id for run in runs]
    assert told[1] == {
        "id": status.id,
        "name": "second [bold]",
        "state": "failed",
        "total": 3,
        "counts": status.counts,
        "created_at": status.created_at,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
    }
    assert json.loads(piped(*target(world), "list", "--json", "--name", "none").stdout) == []


def test_on_a_terminal_of_80_columns_the_ids_are_whole(world: World, runs: list[WorkflowRun]) -> None:
    terminal = Terminal(*target(world), "list", columns=80)
    assert terminal.ended() == 0
    assert all(run.id in terminal.output for run in runs)
    assert "second [bold]" in terminal.output
    assert "\u202e" not in terminal.output
    assert "more:" not in terminal.output


def test_a_longer_list_says_how_to_go_on(world: World, runs: list[WorkflowRun]) -> None:
    options = ("list", "--limit=1", "--name", "*i*", "--after", runs[0].id)
    terminal = Terminal(*target(world), *options, columns=80)
    assert terminal.ended() == 0
    assert "more:" not in terminal.output  # of those behind it, one has such a name
    terminal = Terminal(*target(world), "list", "--limit=1", "--name", "*i*", columns=80)
    assert terminal.ended() == 0
    assert f"more: the same with --after={runs[0].id}" in terminal.output
    assert "more:" not in piped(*target(world), "list", "--limit=1").stderr


def test_on_a_terminal_too_narrow_for_it_an_id_is_whole_nevertheless(
    world: World, runs: list[WorkflowRun]
) -> None:
    terminal = Terminal(*target(world), "list", columns=24)
    assert terminal.ended() == 0
    assert all(run.id in terminal.output for run in runs)


def test_where_nothing_is_found_one_line_says_so(world: World, runs: list[WorkflowRun]) -> None:
    ended = piped(*target(world), "list", "--name", "none")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (0, "", 1)
    assert ended.stderr.startswith("no workflow matches")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--since", "yesterday"], "Invalid value for '--since': 'yesterday' is not a time ago such as 10m"),
        (["--older-than", "9" * 5000 + "d"], "Invalid value for '--older-than'"),
        (["--state", "bogus"], "'bogus' is not one of 'executing', 'completed', 'failed', 'cancelled'"),
        (["--limit", "-1"], "Invalid value for '--limit'"),
        (["--after", "x" * 10_000], "of 10,000 characters"),
    ],
)
def test_wrong_input_ends_in_one_line_and_exit_2(world: World, options: list[str], says: str) -> None:
    ended = piped(*target(world), "list", *options)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert says in ended.stderr
    assert len(ended.stderr) < 300
