"""What is carried for observers: stored with the workflow, given to its executions, gone with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import dramatiq
import pytest
from dramatiq.encoder import PickleEncoder

from dramatiq_baton import Workflow
from dramatiq_baton.observing import Execution, Observer, Submission
from tests.support.lab import Lab
from tests.support.own import MakeLab


class Carrier(Observer):
    """Carries the names of workflows and steps."""

    carries = True

    def __init__(self) -> None:
        self.got: dict[str, tuple[Mapping[str, str], list[str]]] = {}
        self._lock = threading.Lock()

    def before_submit(self, submission: Submission) -> dict[str, str]:
        return {"workflow": submission.workflow_name}

    def before_actor(self, execution: Execution) -> dict[str, str]:
        with self._lock:
            self.got[execution.step] = (execution.submitted, sorted(dep["step"] for dep in execution.deps))
        return {"step": execution.step}


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def carrying(make_lab: MakeLab, carrier: Carrier) -> Lab:
    return make_lab(observers=[carrier])


@pytest.fixture
def pickling() -> Iterator[None]:
    """Messages aren't JSON."""
    before = dramatiq.get_encoder()
    dramatiq.set_encoder(PickleEncoder())
    yield
    dramatiq.set_encoder(before)


SUBMITTED = {"workflow": "brief"}


def test_executions_get_what_the_submission_and_their_deps_carry(carrying: Lab, carrier: Carrier) -> None:
    @carrying.actor
    def act(*_: Any) -> int:
        return 1

    flow = Workflow("brief")
    one = flow.add("one", act.message())
    flow.add("two", act.message(), deps=one)
    flow.add("three", act.message([one]), deps=["two"])
    carrying.finish(flow)
    assert carrier.got == {
        "one": (SUBMITTED, []),
        "two": (SUBMITTED, ["one"]),
        "three": (SUBMITTED, ["one", "two"]),
    }


def test_a_dep_that_failed_carries_nothing(carrying: Lab, carrier: Carrier) -> None:
    @carrying.actor(max_retries=0)
    def act(fails: bool) -> None:
        if fails:
            raise ValueError("no")

    flow = Workflow("brief", ignore_discarded=True)
    flow.add("bad", act.message(True))
    flow.add("good", act.message(False))
    flow.add("last", act.message(False), deps=["bad", "good"])
    carrying.finish(flow)
    assert carrier.got["last"] == (SUBMITTED, ["good"])


def test_a_large_graph_carries_as_a_small_one_does(carrying: Lab, carrier: Carrier) -> None:
    """It is staged, and the deps of its last step are kept apart."""

    @carrying.actor
    def act(*_: Any) -> int:
        return 1

    flow = Workflow("brief")
    parts = [flow.add(f"part {number}", act.message()) for number in range(250)]
    flow.add("last", act.message(parts))
    carrying.finish(flow)
    submitted, deps = carrier.got["last"]
    assert submitted == SUBMITTED
    assert deps == sorted(f"part {number}" for number in range(100))  # and no more


def test_with_another_encoder_the_deps_are_those_whose_results_are_wanted(
    carrying: Lab, carrier: Carrier, pickling: None
) -> None:
    @carrying.actor
    def act(*_: Any) -> int:
        return 1

    flow = Workflow("brief")
    one = flow.add("one", act.message())
    flow.add("two", act.message())
    flow.add("last", act.message(one), deps="two")
    carrying.finish(flow)
    assert carrier.got["last"] == (SUBMITTED, ["one"])


def test_a_retry_carries_what_the_submission_did(carrying: Lab, carrier: Carrier) -> None:
    @carrying.actor(max_retries=0)
    def act(name: str) -> None:
        if name == "bad" and carrying.note(name) == 1:
            raise ValueError("not yet")

    flow = Workflow("brief")
    flow.add("good", act.message("good"))
    flow.add("bad", act.message("bad"), deps="good")
    with carrying.working():
        run = carrying.run(flow)
        run.wait(timeout=30_000)
        carrier.got.clear()
        run.retry()
        run.wait(timeout=30_000)
    assert carrier.got == {"bad": (SUBMITTED, ["good"])}


def test_only_what_others_depend_on_is_kept(carrying: Lab) -> None:
    @carrying.actor
    def act() -> None: ...

    flow = Workflow("brief")
    flow.add("one", act.message())
    flow.add("two", act.message(), deps="one")
    run = carrying.finish(flow)
    key = f"{carrying.world.namespace}:workflow:{{{run.id}}}"
    client = carrying.world.redis
    fields = sorted(field for field in client.hkeys(f"{key}:edges") if field.startswith("words:"))
    assert [(field, client.hget(f"{key}:edges", field)) for field in fields] == [
        ("words:", '{"workflow":"brief"}'),
        ("words:one", '{"step":"one"}'),
    ]


@pytest.mark.parametrize("damaged", ["no JSON", "[1]", '"text"', ""])
def test_words_that_cannot_be_read_are_taken_for_none(carrying: Lab, carrier: Carrier, damaged: str) -> None:
    @carrying.actor
    def act() -> None: ...

    flow = Workflow("brief")
    flow.add("one", act.message())
    run = carrying.run(flow)
    edges = f"{carrying.world.namespace}:workflow:{{{run.id}}}:edges"
    assert carrying.world.redis.hset(edges, "words:", damaged) == 0  # it is there
    with carrying.working():
        run.wait(timeout=30_000)
    assert carrier.got == {"one": ({}, [])}


def test_with_several_observers_each_finds_its_own_words(make_lab: MakeLab, carrier: Carrier) -> None:
    class Another(Carrier):
        def before_submit(self, submission: Submission) -> dict[str, str]:
            return {"another": submission.workflow_id}

    another = Another()
    lab = make_lab(observers=[carrier, another])

    @lab.actor
    def act() -> None: ...

    flow = Workflow("brief", id="1")
    flow.add("one", act.message())
    lab.finish(flow)
    assert carrier.got["one"][0] == another.got["one"][0] == {"workflow": "brief", "another": "1"}
