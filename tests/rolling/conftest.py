"""A deployment in which two releases work on one server."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import redis

from dramatiq_baton.store import catalogue
from dramatiq_baton.store.store import Store
from tests.support.processes import ROOT, WorkerProcess
from tests.support.servers import machine_redis_url
from tests.support.world import World

HERE = Path(__file__).parent
PREVIOUS = HERE / "dramatiq_baton-0.1.0-py3-none-any.whl"


class Deployment:
    """One server, one program, two releases.

    Parameters:
      world: Says where Redis is, and checks that nothing is left behind there.
      previous: The folder with the previous release and the program.
    """

    def __init__(self, world: World, previous: Path) -> None:
        self.world = world
        self.previous = previous
        self.env = {name: value for name, value in world.env.items() if name.startswith("BATON_TEST")}
        self.program = self._imported()

    def _imported(self) -> ModuleType:
        os.environ.update(self.env)
        try:
            spec = importlib.util.spec_from_file_location(
                f"deployed_{self.world.namespace}", HERE / "deployed.py"
            )
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        finally:
            for name in self.env:
                del os.environ[name]

    @contextmanager
    def worker(self, release: str, *, old: bool = False) -> Iterator[WorkerProcess]:
        """A worker of the previous release (``old``) or of this one; killed at the end."""
        module, path = ("deployed", self.previous) if old else ("tests.rolling.deployed", ROOT)
        env = {**self.env, "BATON_TEST_RELEASE": release}
        if old:
            env["PYTHONPATH"] = str(path)
        process = WorkerProcess(module, env, path=path, threads=2)
        try:
            yield process.wait_ready()
        finally:
            process.kill()

    def submit_with_previous(self, workflow_id: str, *names: str) -> bool:
        """Have the previous release submit a chain; returns whether it was created."""
        command = [sys.executable, str(self.previous / "deployed.py"), workflow_id, *names]
        env = {**os.environ, **self.env, "PYTHONPATH": str(self.previous)}
        ended = subprocess.run(
            command, env=env, cwd=self.previous, capture_output=True, text=True, check=True
        )
        where, created = ended.stdout.splitlines()
        assert Path(where).is_relative_to(self.previous)
        return created == "True"

    def file_away(self) -> None:
        """File what the previous release has finished, as a rescue does from time to time."""
        store = Store(self.world.redis, namespace=self.world.namespace)
        catalogue.tidy(store, most=100)
        store.connections.close()

    def wait_noted(self, what: str) -> None:
        """Wait until an actor has noted something."""
        last, patient = "0", redis.Redis.from_url(self.world.url, decode_responses=True, socket_timeout=None)
        with patient:
            while True:
                news = patient.xread({f"{self.world.namespace}:probe:notes": last}, block=30_000)
                assert news, f"{what!r} was never noted, only {self.program.notes()}"
                for entry, fields in dict(news)[f"{self.world.namespace}:probe:notes"]:
                    last = entry
                    if fields["what"] == what:
                        return


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the previous release, as it was installed, and the program."""
    folder = tmp_path_factory.mktemp("previous")
    with zipfile.ZipFile(PREVIOUS) as wheel:
        wheel.extractall(folder)
    shutil.copy(HERE / "deployed.py", folder)
    return folder


@pytest.fixture(params=["valkey", "redis"])
def deployment(request: pytest.FixtureRequest, previous: Path) -> Iterator[Deployment]:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else machine_redis_url()
    world = World(url)
    try:
        found = Deployment(world, previous)
        yield found
        found.program.probe.close()
        assert not world.left_behind()
    finally:
        world.close()
