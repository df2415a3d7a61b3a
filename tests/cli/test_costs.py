"""What calls to models cost, in ``show``, ``watch`` and ``retry``."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from dramatiq_baton import Call, Usage, UsageReport, WorkflowRun
from dramatiq_baton.cli import costs
from dramatiq_baton.store import spending
from tests.cli.stored import target
from tests.support.by_hand import ByHand
from tests.support.terminal import Terminal, piped
from tests.support.world import World


def call(model: str, cost: str | None, step: str = "a", tokens: int = 1200) -> Call:
    return Call(step, 1, 1, Usage(model, tokens, 300, 1000), None if cost is None else Decimal(cost))


def plain(output: str) -> str:
    """What a terminal was sent, without colours and the like."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", output)


@pytest.fixture(scope="module")
def run(idle_world: World) -> WorkflowRun:
    """A finished workflow whose steps have made calls."""
    flow = idle_world.flow(budget=Decimal("0.5"))
    flow.add("a", idle_world.act())
    flow.add("b", idle_world.act())
    run = idle_world.run(flow)
    by_hand = ByHand(idle_world)
    for number, one in enumerate(
        (call("[red]gpt", "0.01234"), call("opus", "1.5", "b"), call("opus", None, "b"))
    ):
        spending.note(by_hand.store, run.id, str(number), one)
    by_hand.complete(run, "a")
    by_hand.discard(run, "b")
    by_hand.close()
    return run


def test_show_tells_on_a_terminal_what_each_model_cost(idle_world: World, run: WorkflowRun) -> None:
    terminal = Terminal(*target(idle_world), "show", run.id, columns=80)
    assert terminal.ended() == 0
    output = plain(terminal.output)
    assert "✗ failed  $1.51" in output
    lines = [line.split() for line in output.splitlines()]
    assert ["model", "calls", "input", "output", "cost"] in lines
    assert ["opus", "2", "2,400", "600", "$1.50", "+", "1", "unpriced"] in lines
    assert ["[red]gpt", "1", "1,200", "300", "$0.0123"] in lines
    assert ["in", "all", "3", "3,600", "900", "$1.51", "+", "1", "unpriced", "of", "$0.5000"] in lines


def test_in_a_pipe_nothing_is_rounded(idle_world: World, run: WorkflowRun) -> None:
    lines = piped(*target(idle_world), "show", run.id).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("model"))
    assert lines[at].split() == [
        "model",
        "calls",
        "input",
        "output",
        "cache_read",
        "cache_write",
        "cost",
        "unpriced",
    ]
    assert [line.split() for line in lines[at + 1 : at + 4]] == [
        ["opus", "2", "2400", "600", "2000", "0", "1.5", "1"],
        ["[red]gpt", "1", "1200", "300", "1000", "0", "0.01234", "0"],
        ["total", "3", "3600", "900", "3000", "0", "1.51234", "1"],
    ]
    assert lines[at + 4] == "budget 0.5"


def test_a_program_gets_amounts_as_text(idle_world: World, run: WorkflowRun) -> None:
    told = json.loads(piped(*target(idle_world), "show", run.id, "--json").stdout)["usage"]
    assert (told["cost"], told["budget"], told["calls"], told["unpriced"]) == ("1.51234", "0.5", 3, 1)
    assert told["by_model"]["opus"]["cost"] == "1.5"
    assert told["by_step"]["a"]["input_tokens"] == 1200


def test_a_workflow_without_calls_has_no_such_lines() -> None:
    assert not list(costs.lines(UsageReport.of([], None), 80))
    assert not list(costs.plain_lines(UsageReport.of([], None)))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_has_room_for(width: int) -> None:
    usage = UsageReport.of([call("m" * 150, "123456.5", tokens=10**9)], Decimal(1))
    lines = list(costs.lines(usage, width))
    assert len({line.cell_len for line in lines[1:]}) == 1
    if width >= 80:
        assert lines[1].cell_len <= width


def test_watch_tells_of_it_in_a_pipe_and_live(idle_world: World, run: WorkflowRun) -> None:
    ended = piped(*target(idle_world), "watch", run.id, "--exit-on-finish")
    last = ended.stdout.splitlines()[-1]
    assert "calls=3 input_tokens=3600 output_tokens=900 unpriced=1 cost=$1.51234" in last
    event = json.loads(
        piped(*target(idle_world), "watch", run.id, "--exit-on-finish", "--json").stdout.splitlines()[-1]
    )
    assert (event["cost"], event["calls"], event["unpriced"]) == ("1.51234", 3, 1)
    terminal = Terminal(*target(idle_world), "watch", run.id, "--exit-on-finish", columns=80)
    assert terminal.ended() == 1
    assert "✗ failed  $1.51" in plain(terminal.output)


def test_retry_takes_another_budget(idle_world: World) -> None:
    flow = idle_world.flow(budget=Decimal(1))
    flow.add("a", idle_world.act())
    run = idle_world.run(flow)
    by_hand = ByHand(idle_world)
    by_hand.discard(run, "a")
    wrong = piped(*target(idle_world), "retry", run.id, "--budget", "much")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--budget must be an amount of US dollars, not 'much'" in wrong.stderr
    assert run.status().state.finished
    assert piped(*target(idle_world), "retry", run.id, "--budget", "2.25").returncode == 0
    assert run.usage().budget == Decimal("2.25")
    run.cancel()
    by_hand.close()
