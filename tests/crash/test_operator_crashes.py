"""A process that cancels, retries or prunes a workflow crashes at every command: it is done wholly, or not at all."""

from __future__ import annotations

from contextlib import closing

import pytest

from dramatiq_baton import WorkflowRun, WorkflowState
from dramatiq_baton.store import steering
from tests.support.forks import Forked, Zygote

from .faults import Moment, Point
from .harness import Fault, Outcome, Stage, everywhere, failure, repeated, world_of
from .operating import AT_ANY_TIME, OperatorCrash
from .operations import (
    BUSY,
    CANCELLING,
    CANCELLING_ALONE,
    LEAVES,
    PRUNING,
    RETRYING,
    RETRYING_CANCELLED,
    RETRYING_WITHOUT_CODE,
    get_into_every_state,
    is_listed,
    store_of,
)
from .runs import Crash
from .scenarios import RESUMED

pytestmark = pytest.mark.timeout(300)

ways = pytest.mark.parametrize(
    ("fault", "moment"),
    [(fault, moment) for fault in Fault for moment in Moment],
    ids=lambda value: value.name.lower(),
)
deaths = pytest.mark.parametrize(
    ("fault", "moment"), [(Fault.KILL, moment) for moment in Moment], ids=lambda value: value.name.lower()
)

#: Enough where the same commands are struck in other ways elsewhere: to the server, a process that dies before a
#: command is one that dies after the command before it.
DEATH = (Fault.KILL, Moment.AFTER)
#: Of steps that are alike one is enough. Whether the operator or a worker sends them is a matter of luck.
LIKE_OTHERS = frozenset(f"enqueue({name})" for name in (*LEAVES, *(f"busy {n}" for n in range(1, BUSY))))


def at_every_command(crash: OperatorCrash | Crash, wanted: str) -> None:
    """Run it undisturbed, then with the fault at each command of the process that is struck.

    Parameters:
      crash: What is to happen.
      wanted: The kinds of command that must have been among them.
    """
    undisturbed = crash()
    assert not undisturbed.wrong, undisturbed.wrong

    def strike(point: Point) -> Outcome:
        return repeated(lambda: crash(point), prompt=True)

    outcomes = everywhere(strike, undisturbed.seen, skipped=LIKE_OTHERS)
    assert not (text := failure(outcomes, wanted)), text


@ways
def test_a_workflow_is_cancelled_wholly_or_not_at_all(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    at_every_command(OperatorCrash(zygote, url, CANCELLING, fault, moment), "cancel spread")


@deaths
def test_a_workflow_that_nobody_works_on_is_cancelled_wholly_or_not_at_all(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    at_every_command(OperatorCrash(zygote, url, CANCELLING_ALONE, fault, moment), "cancel spread")


@ways
def test_a_workflow_is_retried_wholly_or_not_at_all(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    at_every_command(OperatorCrash(zygote, url, RETRYING, fault, moment), "retry spread")


def test_a_workflow_is_retried_without_its_code_wholly_or_not_at_all(zygote: Zygote, url: str) -> None:
    at_every_command(OperatorCrash(zygote, url, RETRYING_WITHOUT_CODE, *DEATH), "retry spread")


def test_what_was_cancelled_is_retried_while_actors_of_the_first_run_still_work(
    zygote: Zygote, url: str
) -> None:
    at_every_command(OperatorCrash(zygote, url, RETRYING_CANCELLED, *DEATH), "retry spread")


def test_a_worker_may_crash_at_every_command_of_a_second_run(zygote: Zygote, url: str) -> None:
    def fail_and_be_retried(stage: Stage, run: WorkflowRun) -> None:
        worker = stage.start_worker(threads=2)
        assert run.wait(timeout=30_000).state is WorkflowState.FAILED
        worker.stop()
        steering.begin_retry(store_of(stage), run.id)  # the rest is left to the worker

    def until_finished_again(stage: Stage, run: WorkflowRun, worker: Forked) -> None:
        stage.wait_until(run, event="workflow_finished", times=2)

    crash = Crash(zygote, url, RESUMED, *DEATH, before=fail_and_be_retried, meanwhile=until_finished_again)
    at_every_command(crash, "spread claim advance" if crash.fast else "spread claim settle enqueue ack")


@ways
def test_a_finished_workflow_is_removed_wholly_or_not_at_all(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    at_every_command(OperatorCrash(zygote, url, PRUNING, fault, moment), "prune")


def test_a_workflow_that_runs_is_not_removed(zygote: Zygote, url: str) -> None:
    with world_of(url) as world, closing(Stage(zygote, world)) as stage:
        run = get_into_every_state(stage)
        for process in stage.processes:
            process.kill()  # so that nobody else changes anything
        before = world.dump(run.id)
        assert steering.prune(store_of(stage), run.id, finished_before=AT_ANY_TIME) is steering.Pruned.RUNNING
        assert world.dump(run.id) == before
        assert is_listed(stage, run)
