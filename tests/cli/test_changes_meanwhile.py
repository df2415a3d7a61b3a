"""A workflow that changes while a command is about it: at every command to the server, somebody else is quicker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from dramatiq_baton import WorkflowNotFound, WorkflowRun, WorkflowRunning
from dramatiq_baton.store import reading, steering
from tests.support.by_hand import ByHand
from tests.support.line import Command, Fate, Line
from tests.support.terminal import piped
from tests.support.world import World

#: More steps than are read at once.
STEPS = reading.AT_ONCE + 20
#: No command line here sends more commands than this, connecting not counted.
MOST_COMMANDS = 40

Disturb = Callable[[ByHand, WorkflowRun], object]


@pytest.fixture
def idle_world(valkey_url: str) -> Iterator[World]:
    """A world in which nothing happens by itself: it has no worker."""
    world = World(valkey_url)
    yield world
    world.close()


def _prune(hand: ByHand, run: WorkflowRun) -> None:
    steering.prune(hand.store, run.id, finished_before=2**50)


def _retry(hand: ByHand, run: WorkflowRun) -> None:
    with suppress(WorkflowRunning):
        steering.begin_retry(hand.store, run.id)


def _finished(world: World, hand: ByHand) -> WorkflowRun:
    flow = world.flow()
    flow.add("first", world.act())
    for number in range(STEPS - 1):
        flow.add(f"{number}", world.actors.act_async.message([]), deps="first")
    run = world.run(flow)
    hand.discard(run, "first", "no good")
    return run


def _at_every_command(
    world: World,
    disturb: Disturb,
    *arguments: str,
    prepare: Callable[[World, ByHand], WorkflowRun] = _finished,
) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of a command line, disturbed before its first command, before its second, ..."""
    outcomes = []
    hand = ByHand(world)
    for point in range(MOST_COMMANDS):
        run = prepare(world, hand)
        seen = 0

        def fate(command: Command) -> Fate:
            nonlocal seen
            if command[0].upper() not in (b"CLIENT", b"HELLO", b"SELECT", b"INFO"):
                if seen == point:  # noqa: B023
                    other = ByHand(world)  # of this thread, which ends: so does its connection
                    disturb(other, run)  # noqa: B023
                    other.close()
                seen += 1
            return Fate.KEPT

        with Line(world.url, fate) as line:
            told = [argument.format(id=run.id) for argument in arguments]
            ended = piped("--url", line.url, "--namespace", world.namespace, *told)
        outcomes.append((ended.returncode, ended.stdout, ended.stderr))
        with suppress(WorkflowNotFound):
            steering.cancel(hand.store, run.id, "", interrupt=False)
        _prune(hand, run)
        if seen <= point:
            hand.close()
            return outcomes
    raise AssertionError(f"{arguments} sends more than {MOST_COMMANDS} commands")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "{id}"),
        ("show", "{id}", "--json"),
        ("graph", "{id}", "--json"),
        ("watch", "{id}", "--exit-on-finish", "--json"),
    ],
    ids=" ".join,
)
def test_what_reads_a_workflow_that_is_pruned_shows_all_of_it_or_says_so(
    idle_world: World, arguments: tuple[str, ...]
) -> None:
    outcomes = _at_every_command(idle_world, _prune, *arguments)
    codes = {code for code, _, _ in outcomes}
    assert codes == {2, 1 if arguments[0] == "watch" else 0}
    for code, output, errors in outcomes:
        if code == 2:
            (line,) = errors.splitlines()
            assert line.startswith("dramatiq-baton: there is no workflow ")
            assert arguments[0] == "watch" or output == ""
        else:
            assert errors == ""
            assert output.count("cancelled") >= STEPS - 1 or arguments[0] == "watch"


@pytest.mark.parametrize("arguments", [("retry", "{id}"), ("cancel", "{id}")], ids=" ".join)
def test_what_acts_on_a_workflow_that_is_pruned_says_so(
    idle_world: World, arguments: tuple[str, ...]
) -> None:
    first, *others = _at_every_command(idle_world, _prune, *arguments)
    assert first[0] == 2
    assert first[2].startswith("dramatiq-baton: there is no workflow ")
    assert others  # too late: it has begun, and what runs is not pruned
    for code, output, errors in others:
        assert (code, errors) == (0, "")
        assert output in (
            f"{STEPS} steps run again\n",
            "nothing to cancel: the workflow has finished, it is failed\n",
        )


def test_a_retry_that_comes_second_says_so(idle_world: World) -> None:
    outcomes = _at_every_command(idle_world, _retry, "retry", "{id}", prepare=_small)
    assert {code for code, _, _ in outcomes} == {0, 2}
    for code, output, errors in outcomes:
        assert output == ("" if code else "2 steps run again\n")
        assert ("still runs" in errors) == bool(code)


def _small(world: World, hand: ByHand) -> WorkflowRun:
    flow = world.flow()
    flow.add("a", world.act())
    flow.add("b", world.actors.act_async.message([]), deps="a")
    run = world.run(flow)
    hand.discard(run, "a")
    return run
