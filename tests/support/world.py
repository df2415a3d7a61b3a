"""A world to test in: a server, a namespace of its own on it, actors, and workers when asked for."""

from __future__ import annotations

import importlib.util
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import dramatiq
import redis

from dramatiq_baton import Workflow, WorkflowRun

from .brokers import hang_up
from .processes import WorkerProcess
from .servers import MACHINE_REDIS

ACTORS = Path(__file__).with_name("actors.py")

#: What tells of finished workflows as long as their data is kept.
ABOUT_FINISHED = (
    "index:workflows:completed",
    "index:workflows:failed",
    "index:workflows:cancelled",
    "index:expiring",
)


def default_broker(url: str) -> str:
    """Which ``RedisBroker`` works on a server: on the machine's own Dramatiq's, elsewhere ours with its fast path.

    So every test of both servers is one of both paths.
    """
    return "redis" if url == MACHINE_REDIS else "fast"


class World:
    """Where one session's tests run.

    Parameters:
      url: The Redis server for state, and for the broker unless ``env`` says otherwise.
      env: More environment variables for the actors' module.
    """

    def __init__(self, url: str, **env: str) -> None:
        self.url = url
        self.namespace = self._new_namespace()
        self.env = {
            "BATON_TEST_URL": url,
            "BATON_TEST_NAMESPACE": self.namespace,
            "BATON_TEST_BROKER": default_broker(url),
            **env,
        }
        self.redis: redis.Redis = self._client()
        self.actors: Any = self._load_actors()
        self.broker: dramatiq.Broker = self.actors.broker
        self._worker: WorkerProcess | None = None

    def _new_namespace(self) -> str:
        return f"test-{secrets.token_hex(4)}"

    def _client(self) -> redis.Redis:
        """A client to look with at what is stored."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def _load_actors(self) -> ModuleType:
        """Import the actors' module once more, for this world only."""
        before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)
        try:
            spec = importlib.util.spec_from_file_location(f"actors_of_{self.namespace}", ACTORS)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    @property
    def broker_url(self) -> str:
        """A Redis that takes any key: where the broker is, if it is a Redis."""
        return self.env.get("BATON_TEST_BROKER_URL", self.url)

    # Working ------------------------------------------------------------------------------------

    def flow(self, name: str = "flow", **options: Any) -> Workflow:
        return Workflow(name, **options)

    def act(self, *orders: Any, inputs: Any = None) -> dramatiq.Message[Any]:
        """The message of a step that follows ``orders``, one a run."""
        message: dramatiq.Message[Any] = self.actors.act.message(list(orders), inputs)
        return message

    def run(self, flow: Workflow, **options: Any) -> WorkflowRun:
        return flow.run(broker=self.broker, **options)

    def finish(self, flow: Workflow, **options: Any) -> WorkflowRun:
        """Run a workflow on the session's worker and wait until it has finished."""
        self.worker  # noqa: B018 - starts it
        run = self.run(flow, **options)
        run.wait(timeout=30_000)
        return run

    @property
    def worker(self) -> WorkerProcess:
        """The session's worker: one process of the ``dramatiq`` command."""
        if self._worker is not None and self._worker.process.poll() is not None:
            self._worker.kill()  # a test had it die; what is left of it is closed
            self._worker = None
        if self._worker is None:
            self._worker = self.start_worker()
        return self._worker

    def start_worker(self, *, wait: bool = True, **options: Any) -> WorkerProcess:
        """Start one more worker; the caller stops it."""
        extra = options.pop("env", {})
        module = options.pop("module", "tests.support.actors")
        worker = WorkerProcess(module, {**self.env, **extra}, **options)
        return worker.wait_ready() if wait else worker

    @contextmanager
    def worker_running(self, **options: Any) -> Iterator[WorkerProcess]:
        worker = self.start_worker(**options)
        try:
            yield worker
        finally:
            worker.kill()

    def stop_worker(self) -> None:
        """Stop the session's worker; the next test that needs one starts another."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def wait_for_waiting(self, name: str) -> None:
        """Wait until an actor waits for ``name``."""
        patient = redis.Redis.from_url(self.url, socket_timeout=None)
        try:
            assert patient.blpop([f"{self.namespace}:gate:{name}:waiting"], timeout=30), name
        finally:
            patient.close()

    # Looking ------------------------------------------------------------------------------------

    def notes(self, run: WorkflowRun | str) -> list[str]:
        """What the actors noted in a workflow, as ``step|what|text``."""
        notes: list[str] = self.actors.notes(run if isinstance(run, str) else run.id)
        return notes

    def runs_of(self, run: WorkflowRun, step: str) -> int:
        """How often a step's actor was started."""
        return sum(note.startswith(f"{step}|run|") for note in self.notes(run))

    def events_of(self, run: WorkflowRun, step: str) -> list[str]:
        """What the events tell of a step, in order."""
        return [str(event.event) for event in run.events() if event.step == step]

    def keys(self, pattern: str = "*") -> list[str]:
        return sorted(self.redis.scan_iter(f"{self.namespace}:{pattern}", count=1000))

    def dump(self, workflow_id: str) -> dict[str, bytes]:
        """Everything that is stored of a workflow, key by key, to be compared with a later dump."""
        raw = redis.Redis.from_url(self.url)
        try:
            keys = self.keys(f"workflow:{{{workflow_id}}}*")
            return {key: raw.execute_command("DUMP", key) for key in keys}
        finally:
            raw.close()

    def workflows(self) -> set[str]:
        """The keys of all workflows of which anything is stored."""
        return {_workflow_of(key) for key in self.keys("workflow:{*")}

    def left_behind(self, besides: Collection[str] = ()) -> list[str]:
        """Keys and index entries that have outlived their purpose.

        Parameters:
          besides: The keys of workflows that are not looked at.
        """
        finished: dict[str, bool] = {}

        def is_finished(workflow: str) -> bool:
            if workflow not in finished:
                finished[workflow] = self.redis.hget(workflow, "state") != "executing"
            return finished[workflow]

        wrong = []
        for key in self.keys("workflow:{*"):
            workflow = _workflow_of(key)
            if workflow not in besides and is_finished(workflow) and self.redis.ttl(key) == -1:
                wrong.append(f"{key} has no TTL")
        for key in self.keys("index:*"):
            if key.endswith(ABOUT_FINISHED):
                if self.redis.ttl(key) == -1:
                    wrong.append(f"{key} has no TTL")
                continue
            if self.redis.type(key) != "zset":
                continue
            for member in self.redis.zrange(key, 0, -1):
                parts = member.split("\x1f")
                workflow = f"{self.namespace}:workflow:{{{parts[0]}}}"
                if workflow not in besides and is_finished(workflow):
                    wrong.append(f"{key} still has {parts}")
        return wrong

    def close(self) -> None:
        """End what was started and delete all keys."""
        try:
            if self._worker is not None:
                self._worker.kill()  # which takes none of the seconds that a shutdown in good order takes
        finally:
            for key in self.keys():
                self.redis.delete(key)
            hang_up(self.broker)
            self.redis.close()
            self.actors.probe.close()


def _workflow_of(key: str) -> str:
    return key[: key.index("}", key.index(":workflow:{")) + 1]  # the namespace may have braces, too
