"""State on a cluster, messages elsewhere: workflows do all that they do on one server."""

from __future__ import annotations

import asyncio

import pytest
from redis.cluster import key_slot

from dramatiq_baton import StepState, Workflow, WorkflowNotFound, WorkflowState, get_run
from dramatiq_baton.store import catalogue, steering
from dramatiq_baton.store.streams import EventReader
from tests.support.cluster import Cluster, ClusterWorld
from tests.support.terminal import piped


def of_every_kind(world: ClusterWorld) -> Workflow:
    flow = world.flow(ignore_discarded=True)
    root = flow.add("root", world.act(["value", "page"]))
    parts = [flow.add(f"part{i}", world.act(inputs=[i, root])) for i in range(20)]
    parts += [
        flow.add("retried", world.act(["fail", "boom"], ["attempt"]), deps=[root]),
        flow.add("snoozed", world.act(["snooze", 50], ["attempt"]), deps=[root]),
        flow.add("discarded", world.act(["discard", "no such page"]), deps=[root]),
        flow.add("async", world.actors.act_async.message([["fail", "boom"], ["attempt"]]), deps=[root]),
        flow.add("paid", world.act(["once", ["a", "b"], ["value", "paid"]]), deps=[root], delay=50),
    ]
    flow.add("end", world.act(inputs=parts))
    return flow


RESULTS = [*([number, "page"] for number in range(20)), 2, 2, None, 2, "paid"]


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_a_workflow_of_every_kind_of_step_runs(brokered_world: ClusterWorld, dispatch: str) -> None:
    run = brokered_world.finish(of_every_kind(brokered_world), dispatch=dispatch)
    status = run.status()
    assert status.state is WorkflowState.FAILED
    assert status.failed_steps == ("discarded",)
    assert run.result("end") == RESULTS
    assert [event.event for event in run.events()][-1] == "workflow_finished"


def test_all_keys_lie_on_the_node_that_has_the_namespace(
    cluster: Cluster, cluster_world: ClusterWorld
) -> None:
    run = cluster_world.finish(of_every_kind(cluster_world))
    keys = cluster_world.keys()
    assert any(run.id in key for key in keys)
    assert f"{cluster_world.namespace}:workflow:all:events" in keys
    assert {key_slot(key.encode()) for key in keys} == {key_slot(cluster_world.namespace.encode())}


def test_each_change_is_told_on_the_stream_of_all_workflows_too(cluster_world: ClusterWorld) -> None:
    run = cluster_world.finish(of_every_kind(cluster_world))
    ours = [(event.event, event.step) for event in run.events()]
    store = run._runtime.store
    assert [(event.event, event.step) for event in EventReader(store).read()] == ours


def test_large_graphs_are_submitted_and_told_in_portions(cluster_world: ClusterWorld) -> None:
    flow = cluster_world.flow()
    root = flow.add("root", cluster_world.act(["value", 1]))
    parts = [flow.add(f"part{i}", cluster_world.act(inputs=root)) for i in range(300)]
    flow.add("end", cluster_world.act(inputs=parts))
    assert cluster_world.finish(flow).result("end") == [1] * 300


def test_a_workflow_is_cancelled_and_retried(cluster_world: ClusterWorld) -> None:
    flow = cluster_world.flow()
    flow.add("a", cluster_world.act(["value", 1]))
    flow.add("b", cluster_world.act(["discard", "no"], ["run"]), deps="a")
    run = cluster_world.finish(flow)
    run.retry()
    assert run.wait(timeout=30_000).state is WorkflowState.COMPLETED
    waiting = cluster_world.flow()
    waiting.add("never", cluster_world.act(), delay=3_600_000)
    second = cluster_world.run(waiting)
    second.cancel("not needed")
    assert second.wait(timeout=30_000).state is WorkflowState.CANCELLED


def test_finished_workflows_are_listed_and_pruned(cluster_world: ClusterWorld) -> None:
    run = cluster_world.finish(of_every_kind(cluster_world))
    store = run._runtime.store
    assert [entry.id for entry in catalogue.entries(store)] == [run.id]
    assert steering.prune(store, run.id, finished_before=2**53) is steering.Pruned.PRUNED
    assert list(catalogue.entries(store)) == []
    with pytest.raises(WorkflowNotFound):
        get_run(run.id, cluster_world.broker)


def test_what_a_dead_worker_had_is_rescued(cluster_world: ClusterWorld) -> None:
    flow = cluster_world.flow()
    flow.add("deadly", cluster_world.act(["die"], ["run"]))
    run = cluster_world.run(flow)
    with cluster_world.worker_running(wait=False) as worker:  # it may die before it can say that it is ready
        worker.wait_ended()
    with cluster_world.worker_running():
        run.wait(timeout=30_000)
    assert run.result("deadly") == 2


def test_asynchronous_callers_submit_wait_and_read(cluster_world: ClusterWorld) -> None:
    flow = of_every_kind(cluster_world)

    async def call() -> None:
        run = await flow.run_async(broker=cluster_world.broker)
        waits = [run.wait_async(timeout=30_000) for _ in range(20)]
        assert {status.state for status in await asyncio.gather(*waits)} == {WorkflowState.FAILED}
        assert await run.result_async("end") == RESULTS
        assert (await run.status_async()).steps["retried"].attempt == 2
        assert [event.event async for event in run.events_async()][-1] == "workflow_finished"

    with cluster_world.worker_running():
        asyncio.run(call())


def test_the_command_line_is_given_any_node(cluster: Cluster, cluster_world: ClusterWorld) -> None:
    run = cluster_world.finish(of_every_kind(cluster_world))
    for node in cluster.nodes:
        target = ("--url", node.url, "--namespace", cluster_world.namespace)
        shown = piped(*target, "show", run.id)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "no such page" in shown.stdout
        assert run.id in piped(*target, "list").stdout
        watched = piped(*target, "watch", run.id, "--since", "0", "--exit-on-finish")
        assert "workflow_finished" in watched.stdout
        assert watched.returncode == 1
    assert piped(*target, "retry", run.id).returncode == 0
    assert run.wait(timeout=30_000).steps["discarded"].state is StepState.DISCARDED
