"""G5: ``run()`` is all or nothing. A submitter that dies half-way leaves nothing that runs, and what it left
expires by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dramatiq_baton import StepState, StoreUnavailable, Workflow, WorkflowNotFound, get_run
from dramatiq_baton.store.scripts import script
from dramatiq_baton.store.submission import STAGED_TTL
from tests.support.lab import Lab
from tests.support.line import Command, Fate, Line
from tests.support.processes import ROOT
from tests.support.world import World

STEPS = 450
#: No submission of so many steps takes more commands than this.
MANY = 40


def graph(world: World, id: str) -> Workflow:
    """Large enough to be staged in several portions; each step but the first hangs on the first."""
    flow = world.flow(id=id)
    first = flow.add("first", world.act(["value", 1]))
    for number in range(STEPS - 1):
        flow.add(f"{number}", world.act(["inputs"], inputs=first))
    return flow


def assert_nothing_runs(world: World, id: str) -> None:
    """Nothing but staged keys, and each of them goes by itself."""
    with pytest.raises(WorkflowNotFound):
        get_run(id, world.broker)
    for key in world.keys("*"):
        assert f"workflow:{{{id}}}:staged:" in key
        assert 0 < world.redis.pttl(key) <= STAGED_TTL, key


def assert_all_of_it_is_there(world: World, id: str) -> None:
    run = get_run(id, world.broker)
    status = run.status()
    assert (status.total, len(status.steps)) == (STEPS, STEPS)
    assert status.counts == {StepState.QUEUED: 1, StepState.PENDING: STEPS - 1}
    assert [event.event for event in run.events()] == ["workflow_started"]
    assert not world.keys("*staged*")
    assert world.redis.zcard(f"{world.namespace}:index:queued:{world.actors.QUEUE}") == 1  # the rescue's


@pytest.fixture(params=["valkey", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    world: World = request.getfixturevalue(f"{request.param}_world")
    return world.url


@pytest.fixture
def fresh(url: str) -> Iterator[World]:
    """A namespace of its own without a worker."""
    world = World(url)
    yield world
    world.close()


@pytest.mark.parametrize("fate", [Fate.CUT_BEFORE, Fate.CUT_AFTER], ids=["before", "after"])
def test_whichever_command_is_its_last_all_is_there_or_nothing_runs(url: str, fate: Fate) -> None:
    """The line breaks at the first command, then in another try at the second, and so on."""
    outcomes = []
    for last in range(1, MANY):
        commands: list[Command] = []

        def at(command: Command, last: int = last, commands: list[Command] = commands) -> Fate:
            commands.append(command)
            return fate if len(commands) >= last else Fate.KEPT

        world = World(url)
        with Line(url, at) as line:
            lab = Lab(world, url=line.url)
            lab.actor(world.actors.act.fn.fn, actor_name="act", queue_name=world.actors.QUEUE)
            try:
                graph(world, f"try {last}").run(broker=lab.broker)
                outcomes.append("run")
            except StoreUnavailable:
                created = world.redis.exists(f"{world.namespace}:workflow:{{try {last}}}")
                outcomes.append("created" if created else "nothing")
            if outcomes[-1] == "nothing":
                assert_nothing_runs(world, f"try {last}")
            else:
                assert_all_of_it_is_there(world, f"try {last}")
            lab.close()
        world.close()
        if outcomes[-1] == "run":
            break
    expected = ["nothing"] * (len(outcomes) - 1) + ["run"]
    if fate is Fate.CUT_AFTER:  # of the command that started it, only the reply was lost
        expected[-2] = "created"
    assert outcomes == expected
    assert len(outcomes) > STEPS / 200


SUBMITTER = f"""
import sys
import tests.support.actors as actors
from dramatiq_baton import Workflow

flow = Workflow("flow", id=sys.argv[1])
first = flow.add("first", actors.act.message([["value", 1]]))
for number in range({STEPS - 1}):
    flow.add(f"{{number}}", actors.act.message([["inputs"]], first))
print("submitting", flush=True)
flow.run()
print("submitted", flush=True)
"""


class Killer:
    """Kills a process as soon as some keys have been staged, or just before what was staged is started."""

    def __init__(self, when: str) -> None:
        self.when = when
        self.process: subprocess.Popen[str] | None = None
        self.staged = 0

    def __call__(self, command: Command) -> Fate:
        self.staged += any(b":staged:" in part for part in command[:4])
        starts = command[1] == script("submit").sha.encode()
        due = self.staged == 2 if self.when == "half-way" else starts
        if not due or self.process is None:
            return Fate.KEPT
        self.process.kill()
        self.process.wait(30)
        return Fate.CUT_BEFORE


def submit_and_die(world: World, id: str, when: str) -> str:
    """Submit in a process of its own that is killed meanwhile; returns what it said."""
    killer = Killer(when)
    with Line(world.url, killer) as line:
        with subprocess.Popen(
            [sys.executable, "-c", SUBMITTER, id],
            env={"PYTHONPATH": str(ROOT), **world.env, "BATON_TEST_STATE_URL": line.url},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            killer.process = process
            assert process.stdout is not None
            said = process.stdout.read()
        assert process.returncode == -signal.SIGKILL
    return said


@pytest.mark.parametrize("when", ["half-way", "at the last step"])
def test_a_submitter_that_is_killed_leaves_nothing_that_runs(fresh: World, when: str) -> None:
    assert submit_and_die(fresh, "killed", when) == "submitting\n"
    assert fresh.keys("*staged*")
    assert_nothing_runs(fresh, "killed")


def test_what_it_left_does_not_disturb_the_next_one_who_submits_the_same(fresh: World) -> None:
    submit_and_die(fresh, "again", "half-way")
    left = fresh.keys("*staged*")
    run = fresh.run(graph(fresh, "again"))
    assert run.created
    assert run.status().total == STEPS
    assert fresh.keys("*staged*") == left


def test_nothing_is_staged_any_more_once_it_runs_and_it_does_not_expire(fresh: World) -> None:
    run = fresh.run(graph(fresh, "alive"))
    keys = fresh.keys(f"workflow:{{{run.id}}}*")
    assert not fresh.keys("*staged*")
    assert {fresh.redis.ttl(key) for key in keys} == {-1}
