"""A system that is fast because it computes something else doesn't get a number."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from benchmarks import measuring, probe, shapes, steps
from benchmarks.steps import WrongResult
from benchmarks.systems import System
from benchmarks.workloads import BY_KEY


class Told:
    """Stands for the server between the steps and the driver."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: deque[Any] = deque()
        self.order: list[str] = []
        monkeypatch.setattr(probe, "hear", lambda timeout: self.values.popleft())
        monkeypatch.setattr(probe, "order", lambda: self.order)


class Prompt(System):
    """Has all results at once; ``error`` too high."""

    packages = ()

    def __init__(self, told: Told, error: int = 0) -> None:
        self._told = told
        self._error = error

    def worker_commands(self, processes: int) -> list[list[str]]:
        return []

    def hello(self) -> None: ...

    def chain(self, length: int) -> None:
        self._told.values.append(length + self._error)

    def hop(self, seconds: float) -> None:
        self._told.values.append(0.002)

    def payload(self, length: int, data: str) -> None:
        turned = length + self._error
        self._told.values.append(steps.digest(data[turned:] + data[:turned]))

    def fan(self, width: int) -> None:
        self._told.values.append(steps.fan_total(width) + self._error)

    def diamonds(self, numbers: range) -> None:
        totals = [steps.diamond_total(number) for number in numbers]
        self._told.values.extend([*totals[:0:-1], totals[0] + self._error])

    def science(self, shape: shapes.Shape) -> None:
        self._told.values.append(len(shape))
        self._told.order = list(shape.parents)[:: -1 if self._error else 1]

    def backlog(self, width: int) -> None: ...


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(monkeypatch)


@pytest.mark.parametrize("key", ["chain", "hop", "payload-10k", "fan-1", "diamonds-1", "science-montage"])
def test_right_results_give_a_number(told: Told, key: str) -> None:
    workload = BY_KEY[key]
    value = measuring.MEASURES[workload.kind](Prompt(told), workload, workload.quick)
    assert isinstance(value, float)
    assert value > 0


@pytest.mark.parametrize("key", ["chain", "payload-10k", "fan-1", "diamonds-1", "science-montage"])
def test_a_wrong_result_gives_none(told: Told, key: str) -> None:
    workload = BY_KEY[key]
    with pytest.raises((WrongResult, shapes.WrongOrder)):
        measuring.MEASURES[workload.kind](Prompt(told, error=1), workload, workload.quick)


def test_every_workload_can_be_measured() -> None:
    assert {workload.kind for workload in BY_KEY.values()} <= measuring.MEASURES.keys()


def test_a_payload_has_the_size_that_it_is_named_for() -> None:
    assert len(steps.payload(10_000)) == 10_000
    assert steps.turn("abc") == "bca"
    assert steps.payload_end(1000, 0) == steps.digest(steps.payload(1000))
