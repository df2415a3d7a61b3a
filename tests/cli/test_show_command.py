"""``dramatiq-baton show`` through the real executable, in a pipe and on a terminal."""

from __future__ import annotations

import json
import re

import pytest

from dramatiq_baton import WorkflowRun
from tests.cli import stored
from tests.cli.stored import HOSTILE, target
from tests.support.by_hand import ByHand
from tests.support.terminal import Terminal, piped
from tests.support.world import World


@pytest.fixture(scope="module")
def run(valkey_world: World) -> WorkflowRun:
    return stored.failed(valkey_world)


@pytest.fixture(scope="module")
def with_results(idle_world: World) -> WorkflowRun:
    flow = idle_world.flow()
    flow.add("a", idle_world.act())
    flow.add("b", idle_world.act())
    run = idle_world.run(flow)
    by_hand = ByHand(idle_world)
    by_hand.complete(run, "a", {"long": "x" * 300})
    by_hand.complete(run, "b", b"\x00")
    by_hand.close()
    return run


def test_in_a_pipe_each_step_is_a_line_and_its_reason_is_last_and_whole(
    valkey_world: World, run: WorkflowRun
) -> None:
    ended = piped(*target(valkey_world), "show", run.id)
    assert (ended.returncode, ended.stderr) == (0, "")
    head, _, steps = ended.stdout.partition("\n\n")
    assert re.search(r"^state +failed$", head, re.MULTILINE)
    assert re.search(rf"^id +{run.id}$", head, re.MULTILINE)
    titles, fetch, hostile, last = steps.splitlines()
    assert titles.split() == ["step", "state", "try", "started", "duration", "actor", "reason"]
    assert re.fullmatch(r"fetch +completed +1 +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d +\d+ms +act +-", fetch)
    assert hostile.endswith("evil ␛[31mred␇ ␊[blink]reason")
    assert "dep " in last
    assert last.endswith("[blink]reason")
    assert {line[titles.index("state") - 1] for line in (titles, fetch, last)} == {" "}


def test_no_text_of_users_controls_the_terminal(valkey_world: World, run: WorkflowRun) -> None:
    for command in (["show", run.id, "--results"], ["graph", run.id]):
        ended = piped(*target(valkey_world), *command)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.stdout)
        assert "[bold]x[/bold] <b>&amp; \\" in ended.stdout
        terminal = Terminal(*target(valkey_world), *command, columns=200)
        assert terminal.ended() == 0
        assert "\x1b[31mred" not in terminal.output
        assert "\x07" not in terminal.output
        assert "[bold]x[/bold]" in terminal.output
        assert "[blink]reason" in terminal.output


def test_on_a_terminal_name_id_states_and_reason_are_shown(valkey_world: World, run: WorkflowRun) -> None:
    terminal = Terminal(*target(valkey_world), "show", run.id, columns=80)
    assert terminal.ended() == 0
    for text in ("brief", run.id, "✗ failed", "3/3", "✗ 1 discarded", "[blink]reason"):
        assert text in terminal.output


def test_results_are_shown_behind_their_steps_whole_in_a_pipe(
    idle_world: World, with_results: WorkflowRun
) -> None:
    ended = piped(*target(idle_world), "show", with_results.id, "--results")
    _, _, results = ended.stdout.rpartition("\n\n")
    assert results.splitlines()[1:] == [f'a     {{"long": "{"x" * 300}"}}', "b     \"b'\\\\x00'\""]


def test_on_a_terminal_a_result_is_cut_to_the_width(idle_world: World, with_results: WorkflowRun) -> None:
    terminal = Terminal(*target(idle_world), "show", with_results.id, "--results", columns=80)
    assert terminal.ended() == 0
    assert "xxx…" in terminal.output
    assert "x" * 80 not in terminal.output


def test_json_tells_all_that_the_status_does_in_pure_ascii(valkey_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(valkey_world), "show", run.id, "--json", "--results")
    assert ended.stdout.isascii()
    told, status = json.loads(ended.stdout), run.status()
    steps = {step["name"]: step for step in told["steps"]}
    assert list(steps) == ["fetch", HOSTILE, "last"]
    for name, step in status.steps.items():
        assert steps[name] == {field: getattr(step, field) for field in step.__slots__} | {
            "deps": list(step.deps)
        }
    assert (told["id"], told["name"], told["state"], told["total"]) == (run.id, "brief", "failed", 3)
    assert (told["created_at"], told["finished_at"]) == (status.created_at, status.finished_at)
    assert told["counts"] == {"completed": 1, "discarded": 1, "cancelled": 1}
    assert told["failed_steps"] == [HOSTILE]
    assert told["results"] == {"fetch": {"pages": [1, None]}}


@pytest.mark.parametrize("command", ["show", "graph", "watch"])
@pytest.mark.parametrize(
    "id", ["", "x" * 10_000, "{x}", "a\nb", "\x1b[31mred", "🚀", "[bold]", "\udcff"], ids=ascii
)
def test_an_id_that_no_workflow_has_ends_in_one_short_line_and_exit_2(
    valkey_world: World, command: str, id: str
) -> None:
    ended = piped(*target(valkey_world), command, id)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("dramatiq-baton: there is no workflow '")
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 250
    assert "\x1b" not in ended.stderr
