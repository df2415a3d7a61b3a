"""A worker whose state lies on a cluster crashes at every command, or loses touch there: nothing is lost."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from dramatiq_baton import WorkflowRun
from tests.support.cluster import Cluster, ClusterWorld, cluster  # noqa: F401
from tests.support.forks import Forked, Zygote
from tests.support.world import World

from .faults import FaultAt, FaultAtNode, Moment, Point
from .harness import Fault, Stage, everywhere, failure, repeated, world_of
from .runs import Crash
from .scenarios import ALL_KINDS

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, kw_only=True)
class ClusterCrash(Crash):
    """A crash at a command to the node that has the namespace, or to the broker elsewhere.

    Attributes:
      cluster: Where the state is; the broker is at ``url``.
    """

    cluster: Cluster

    def _world(self) -> AbstractContextManager[World]:
        def on_cluster(url: str, **env: str) -> World:
            return ClusterWorld(self.cluster, url, BATON_TEST_BROKER="redis", **env)

        return world_of(self.url, on_cluster, **self.env)

    def _fault_at(self, point: Point | None, world: World) -> FaultAt:
        return FaultAtNode(self.cluster.owner(world.namespace), point, self.moment, self.url)


def until_finished(stage: Stage, run: WorkflowRun, worker: Forked) -> None:
    stage.wait_until_finished(run)


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_a_workflow_on_a_cluster_outlives_a_worker_at_every_command(
    zygote: Zygote,
    cluster: Cluster,  # noqa: F811
    valkey_url: str,
    fault: Fault,
    moment: Moment,
) -> None:
    crash = ClusterCrash(
        zygote, valkey_url, ALL_KINDS, fault, moment, meanwhile=until_finished, cluster=cluster
    )
    undisturbed = crash()
    assert not undisturbed.wrong, undisturbed.wrong
    outcomes = everywhere(
        lambda point: repeated(lambda: crash(point), prompt=fault is Fault.KILL),
        undisturbed.seen,
        skipped=frozenset(),
    )
    text = failure(outcomes, "claim settle defer reject callback_done renew enqueue ack nack")
    assert not text, text
