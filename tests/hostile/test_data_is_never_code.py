"""Whoever can write to Baton's keys can spoil data, but can't make a worker run what isn't a workflow actor."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from typing import Any

import msgpack
import pytest
import redis

import dramatiq_baton
from dramatiq_baton import StepState, Workflow
from tests.support.by_hand import ByHand
from tests.support.lab import Lab
from tests.support.world import World

from .halfway import ID, everything, halfway, said_by, values_of

#: Modules that run code which data names, or holds.
RUNNING_CODE = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "jsonpickle",
    "importlib",
    "runpy",
    "yaml",
}
READING_FILES = {"importlib.resources.files", "importlib.metadata"}
CALLS_OF_CODE = {"eval", "exec", "compile", "__import__"}


def words_in(node: ast.AST) -> set[str]:
    """What a statement imports or calls that could run code out of data."""
    match node:
        case ast.Import(names=names):
            return {name.name.partition(".")[0] for name in names} & RUNNING_CODE
        case ast.ImportFrom(module=str(module), names=names, level=0):
            words = {module.partition(".")[0], f"{module}.{names[0].name}"}
            return set() if words & READING_FILES else words & RUNNING_CODE
        case ast.Call(func=ast.Name(id=name)):
            return {name} & CALLS_OF_CODE
    return set()


def test_nothing_can_unpickle_import_or_evaluate_what_it_reads() -> None:
    package = Path(dramatiq_baton.__file__).parent
    # Observers are loaded when they are asked for, by names in the source; none of that is read from Redis.
    sources = set(package.rglob("*.py")) - set((package / "instrumentation").glob("*.py"))
    assert len(sources) > 50
    found = {
        (path.name, word)
        for path in sources
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for word in words_in(node)
    }
    assert not found


class Trap:
    """Once it is unpickled, there is a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_in_place_of_any_value_is_never_unpickled(
    world: World, hand: ByHand, tmp_path: Path
) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    raw = redis.Redis.from_url(world.url)
    halfway(world, hand)
    asked = 0
    for key, field in list(values_of(world, raw)):
        halfway(world, hand)
        for value in (trap, msgpack.packb(trap), msgpack.packb(msgpack.ExtType(4, trap))):
            raw.hset(key, field, value)
            for ask in everything(hand).values():
                said_by(ask)
                asked += 1
    raw.close()
    assert asked > 1000
    assert not sprung.exists()
    pickle.loads(trap)  # it would have worked
    assert sprung.exists()


@pytest.mark.parametrize("named", ["plain", "os.system", "__import__"])
def test_a_step_that_is_made_to_name_another_actor_is_discarded(lab: Lab, named: str) -> None:
    """A plain actor can be sent by whoever may write to the broker; who may write to Baton's keys can't."""

    @lab.actor
    def work() -> int:
        return 1

    @lab.plain_actor(actor_name="plain")
    def plain(*_: Any, **__: Any) -> None:
        lab.note("ran")

    flow = Workflow("flow", id=ID)
    flow.add("a", work.message())
    flow.add("b", work.message(), deps="a")
    flow.add("c", work.message())
    run = lab.run(flow)
    raw = redis.Redis.from_url(lab.world.url)
    key = f"{lab.world.namespace}:workflow:{{{ID}}}:steps"
    spec = raw.hget(key, "b")
    assert spec is not None
    assert msgpack.packb("work") in spec
    raw.hset(key, "b", spec.replace(msgpack.packb("work"), msgpack.packb(named), 1))
    raw.close()
    with lab.working():
        status = run.wait(timeout=30_000)
    assert lab.notes == []
    assert status.steps["b"].state is StepState.DISCARDED
    assert status.steps["b"].reason.startswith("never run: ")
    assert run.results() == {"a": 1, "c": 1}
