"""Two releases work on one server while a deployment rolls: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections import Counter

import pytest

from dramatiq_baton import StepState, WorkflowExists, WorkflowState, get_run
from dramatiq_baton.observing import Observer, Observers, Submission
from dramatiq_baton.store import catalogue

from .conftest import Deployment


def ran(deployment: Deployment) -> Counter[str]:
    """How often each step was started, by whichever release."""
    return Counter(note.rpartition(" ")[2] for note in deployment.program.notes())


def test_a_workflow_of_the_previous_release_goes_on_where_its_worker_died(deployment: Deployment) -> None:
    assert deployment.submit_with_previous("w", "a", "held", "c")
    with deployment.worker("old", old=True) as old:
        deployment.wait_noted("old held")
        old.kill()
    deployment.program.let_go()
    run = get_run("w", deployment.program.broker)
    with deployment.worker("new"):
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    assert run.result("c") == ["c", ["held", ["a", None]]]
    assert ran(deployment) == {"a": 1, "held": 2, "c": 1}


def test_both_releases_work_on_workflows_of_both(deployment: Deployment) -> None:
    program = deployment.program
    names = [f"s{number}" for number in range(6)]
    with deployment.worker("old", old=True), deployment.worker("new"):
        assert deployment.submit_with_previous("from-old", *[f"old-{name}" for name in names])
        runs = [
            program.chain(f"from-new-{n}", *[f"new-{n}-{name}" for name in names]).run() for n in range(5)
        ]
        for run in [*runs, get_run("from-old", program.broker)]:
            assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    assert set(ran(deployment).values()) == {1}
    assert ran(deployment).total() == 36
    assert {note.split()[0] for note in program.notes()} == {"old", "new"}
    deployment.file_away()
    store = program.broker.middleware[-1].runtime(program.broker).store
    assert {entry.id for entry in catalogue.entries(store)} >= {run.id for run in runs}


def test_the_same_graph_is_the_same_for_both(deployment: Deployment) -> None:
    assert deployment.submit_with_previous("w", "a", "b")
    assert deployment.program.chain("w", "a", "b").run().created is False
    with pytest.raises(WorkflowExists):
        deployment.program.chain("w", "a", "renamed").run()
    deployment.program.chain("v", "a", "b").run()
    assert deployment.submit_with_previous("v", "a", "b") is False
    for workflow_id in ("v", "w"):
        get_run(workflow_id, deployment.program.broker).cancel()


def test_the_previous_release_leaves_alone_what_it_would_misread(deployment: Deployment) -> None:
    flow = deployment.program.chain("w", "a")
    flow.add("b", deployment.program.act.message("b"), deps="a", delay=300)
    with deployment.worker("old", old=True) as old:
        run = flow.run()
        old.wait_log("a newer release wrote its workflow; upgrade this worker")
        assert deployment.program.notes() == []
        with deployment.worker("new"):
            assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    assert deployment.program.notes() == ["new a", "new b"]


def test_a_workflow_that_is_retried_is_no_more_for_the_previous_release(deployment: Deployment) -> None:
    assert deployment.submit_with_previous("w", "a", "bad", "c")
    run = get_run("w", deployment.program.broker)
    with deployment.worker("old", old=True):
        assert run.wait(timeout=60_000).state is WorkflowState.FAILED
        deployment.program.let_go("mended")
        assert run.retry() == 2
        with deployment.worker("new"):
            assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    assert deployment.program.notes() == ["old a", "old bad", "old bad", "new bad", "new c"]
    assert run.result("c") == ["c", ["bad", ["a", None]]]


def test_a_workflow_that_is_cancelled_while_the_previous_release_runs_it_stays_so(
    deployment: Deployment,
) -> None:
    assert deployment.submit_with_previous("w", "a", "held", "c")
    run = get_run("w", deployment.program.broker)
    with deployment.worker("old", old=True) as old:
        deployment.wait_noted("old held")
        assert run.cancel("no more") == 2
        deployment.program.let_go()
        old.stop()
    status = run.status()
    assert status.state is WorkflowState.CANCELLED
    states = [step.state for step in status.steps.values()]
    assert states == [StepState.COMPLETED, StepState.CANCELLED, StepState.CANCELLED]
    assert deployment.program.notes() == ["old a", "old held"]


def test_a_step_of_an_actor_that_only_some_workers_have_can_be_resumed(deployment: Deployment) -> None:
    """Deploy workers before submitters: a worker that doesn't know an actor discards its step, as the contract says."""
    program = deployment.program
    flow = program.chain("w", "a")
    message = program.act.message("added").copy(actor_name="added")
    program.broker.actors["added"] = program.act  # declared by the release that submits
    flow.add("added", message.copy(args=("added",)), deps="a")
    with deployment.worker("new"):
        run = flow.run()
        status = run.wait(timeout=60_000)
    assert status.steps["added"].state is StepState.DISCARDED
    assert "added" in status.steps["added"].reason
    run.retry()
    with deployment.worker("with another actor"):
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    assert program.notes() == ["new a", "with another actor added"]


def test_the_previous_release_works_on_what_carries_words(deployment: Deployment) -> None:
    program = deployment.program
    program.broker.middleware[-1]._observers = Observers([Carrier()])
    with deployment.worker("old", old=True), deployment.worker("new"):
        run = program.chain("carrying", *[f"s{number}" for number in range(6)]).run()
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
    edges = f"{deployment.world.namespace}:workflow:{{carrying}}:edges"
    assert deployment.world.redis.hexists(edges, "words:")
    assert set(ran(deployment).values()) == {1}
    deployment.file_away()


class Carrier(Observer):
    carries = True

    def before_submit(self, submission: Submission) -> dict[str, str]:
        return {"from": submission.workflow_name}
