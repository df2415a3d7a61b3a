"""What the tests of this folder stand on: a provider, and a worker that runs LLM actors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dramatiq_baton import Event, Workflow, WorkflowRun
from tests.support.llm_actors import declare
from tests.support.llm_provider import Provider, Reply
from tests.support.own import by_hand, lab, log, make_lab, own_world, split_lab, split_world, state_server
from tests.support.servers import machine_redis_url
from tests.support.world import World

__all__ = ["by_hand", "lab", "log", "make_lab", "own_world", "split_lab", "split_world", "state_server"]


class Desk:
    """A world with a worker that runs LLM actors, and the provider that they ask."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world = world
        self.provider = provider
        self.actors: Any = declare(world.broker)
        self._asked = 0

    def finish(self, *replies: Reply, actor: str = "ask", **options: Any) -> WorkflowRun:
        """Run a workflow of one step, ``a``, for which the provider has these replies."""
        self._asked += 1
        self.prompt = f"{self.world.namespace} {self._asked}"
        self.provider.script(self.prompt, *replies)
        kwargs = {"url": self.provider.url, "prompt": self.prompt, **options}
        return self.finish_all({"a": getattr(self.actors, actor).message(**kwargs)})

    def finish_all(self, messages: dict[str, Any]) -> WorkflowRun:
        flow = Workflow("flow")
        for name, message in messages.items():
            flow.add(name, message)
        run = flow.run(broker=self.world.broker)
        run.wait(timeout=60_000)
        return run

    @property
    def calls(self) -> int:
        """How often the provider was asked for the workflow of :meth:`finish`."""
        return self.provider.calls(self.prompt)


def told(run: WorkflowRun, what: str) -> list[Event]:
    """The events of a kind."""
    return [event for event in run.events() if event.event == what]


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture(scope="session", params=["valkey", "redis"])
def desk(request: pytest.FixtureRequest, provider: Provider) -> Iterator[Desk]:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else machine_redis_url()
    world = World(url)
    try:
        with world.worker_running(module="tests.support.llm_worker"):
            yield Desk(world, provider)
        assert not world.left_behind()
    finally:
        world.close()
