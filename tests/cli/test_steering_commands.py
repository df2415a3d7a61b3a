"""``cancel``, ``retry`` and ``prune`` through the real executable, which knows none of the user's code."""

from __future__ import annotations

import json

import pytest

from dramatiq_baton import WorkflowNotFound, WorkflowRun, WorkflowState, get_run
from tests.support.own import own_world  # noqa: F401
from tests.support.terminal import piped
from tests.support.world import World

HOSTILE = [
    "",
    " ",
    "x" * 10_000,
    "two\nlines",
    "{braces}",
    "a:b",
    "😀",
    "\x1b[31mred",
    "[bold]x[/bold]",
    "\u202e",
]


def target(world: World) -> tuple[str, ...]:
    return ("--url", world.url, "--namespace", world.namespace)


def waiting(world: World) -> WorkflowRun:
    """A workflow of which nothing runs: its queue has no worker."""
    flow = world.flow("waiting")
    flow.add("a", world.act().copy(queue_name="nobody"))
    flow.add("b", world.act(), deps="a")
    return world.run(flow)


def failed(world: World) -> WorkflowRun:
    flow = world.flow("brief")
    flow.add("fetch", world.act(["run"]))
    flow.add("parse", world.act(["discard", "no such page"], ["run"]), deps="fetch")
    flow.add("store", world.act(["inputs"], inputs=["stored"]), deps="parse")
    return world.finish(flow)


def test_cancel_tells_how_many_steps_it_cancelled(valkey_world: World) -> None:
    run = waiting(valkey_world)
    ended = piped(*target(valkey_world), "cancel", run.id, "--reason", "wrong customer")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "cancelled 2 steps\n", "")
    status = run.status()
    assert status.state is WorkflowState.CANCELLED
    assert {step.reason for step in status.steps.values()} == {"wrong customer"}


def test_cancel_says_so_if_the_workflow_has_finished(valkey_world: World) -> None:
    run = failed(valkey_world)
    before = valkey_world.dump(run.id)
    ended = piped(*target(valkey_world), "cancel", run.id)
    assert ended.returncode == 0
    assert ended.stdout == "nothing to cancel: the workflow has finished, it is failed\n"
    told = json.loads(piped(*target(valkey_world), "cancel", run.id, "--json").stdout)
    assert told == {"id": run.id, "state": "failed", "cancelled": 0}
    assert valkey_world.dump(run.id) == before


def test_retry_has_a_worker_send_what_runs_again(valkey_world: World) -> None:
    run = failed(valkey_world)
    ended = piped(*target(valkey_world), "retry", run.id)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "2 steps run again\n", "")
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    assert run.results() == {"fetch": 1, "parse": 2, "store": ["stored"]}
    assert valkey_world.runs_of(run, "fetch") == 1


def test_retry_of_what_has_completed_says_so(valkey_world: World) -> None:
    flow = valkey_world.flow()
    flow.add("a", valkey_world.act())
    run = valkey_world.finish(flow)
    ended = piped(*target(valkey_world), "retry", run.id)
    assert (ended.returncode, ended.stdout) == (0, "nothing to retry: all steps have completed\n")
    assert json.loads(piped(*target(valkey_world), "retry", run.id, "--json").stdout) == {
        "id": run.id, "retried": 0
    }  # fmt: skip


def test_retry_of_what_still_runs_is_refused(valkey_world: World) -> None:
    run = waiting(valkey_world)
    ended = piped(*target(valkey_world), "retry", run.id)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert "still runs" in line
    run.cancel()


def test_a_cancelled_workflow_is_resumed_by_retry(valkey_world: World) -> None:
    run = waiting(valkey_world)
    piped(*target(valkey_world), "cancel", run.id)
    told = json.loads(piped(*target(valkey_world), "retry", run.id, "--json").stdout)
    assert told == {"id": run.id, "retried": 2}
    assert run.status().state is WorkflowState.EXECUTING
    run.cancel()


def test_prune_removes_what_finished_long_enough_ago(own_world: World) -> None:  # noqa: F811
    run, live = failed(own_world), waiting(own_world)
    kept = piped(*target(own_world), "prune", "--older-than", "1h")
    assert kept.returncode == 0
    assert kept.stdout.startswith("removed 0 workflows that finished before 20")
    would = json.loads(piped(*target(own_world), "prune", "--older-than", "0s", "--dry-run", "--json").stdout)
    assert would["dry_run"]
    assert run.id in would["ids"]
    assert run.status().state is WorkflowState.FAILED
    others = piped(*target(own_world), "prune", "--older-than", "0s", "--state", "cancelled")
    assert others.returncode == 0
    assert run.status().state is WorkflowState.FAILED
    done = json.loads(piped(*target(own_world), "prune", "--older-than", "0s", "--json").stdout)
    assert run.id in done["ids"]
    assert done["pruned"] == len(done["ids"]) == sum(done["by_state"].values())
    with pytest.raises(WorkflowNotFound):
        get_run(run.id, broker=own_world.broker)
    assert own_world.keys(f"workflow:{{{run.id}}}*") == []
    assert live.status().state is WorkflowState.EXECUTING
    assert "removed 0 workflows" in piped(*target(own_world), "prune", "--older-than", "0s").stdout
    live.cancel()


def test_prune_tells_what_it_took(own_world: World) -> None:  # noqa: F811
    piped(*target(own_world), "prune", "--older-than", "0s")
    failed(own_world)
    flow = own_world.flow()
    flow.add("a", own_world.act())
    own_world.finish(flow)
    ended = piped(*target(own_world), "prune", "--older-than", "0s")
    assert ended.stdout.startswith("removed 2 workflows that finished before 20")
    assert ended.stdout.endswith(": ✓ 1 completed, ✗ 1 failed\n")


def test_prune_needs_to_be_told_how_old(valkey_world: World) -> None:
    for arguments in ([], ["--older-than", "3"], ["--older-than", "soon"], ["--state", "executing"]):
        ended = piped(*target(valkey_world), "prune", *arguments)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["cancel", "retry"])
@pytest.mark.parametrize("workflow_id", HOSTILE)
def test_an_id_that_there_is_not_is_wrong_input(valkey_world: World, command: str, workflow_id: str) -> None:
    ended = piped(*target(valkey_world), command, "--", workflow_id)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("dramatiq-baton: there is no workflow ")
    assert len(line) < 300
    assert line.isprintable() or "\\u202e" in line


@pytest.mark.parametrize("command", [["cancel", "x"], ["retry", "x"], ["prune", "--older-than", "1d"]])
def test_a_server_that_cant_be_reached_is_told_in_one_line(command: list[str]) -> None:
    ended = piped("--url", "redis://127.0.0.1:1/0", *command)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert "127.0.0.1:1" in line
