"""The systems that are compared: one module each, which declares its steps and submits its workflows."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from ..shapes import Shape

#: In the order of the tables. Ours comes first.
NAMES = ("baton", "dramatiq", "dramatiq_workflow", "huey", "celery", "streaq", "pydocket")
TITLES = {
    "baton": "dramatiq-baton",
    "dramatiq": "Dramatiq",
    "dramatiq_workflow": "dramatiq-workflow",
    "huey": "huey",
    "celery": "Celery",
    "streaq": "streaQ",
    "pydocket": "pydocket",
}


def load(name: str) -> System:
    """A system, in the environment that has it installed."""
    return import_module(f"{__name__}.{name}").system


def command(name: str) -> str:
    """A command of the environment that this runs in."""
    return str(Path(sys.executable).with_name(name))


class System(ABC):
    """What the driver asks of a system. All that submits returns when it is submitted, not when it is done."""

    #: The distributions whose versions count.
    packages: ClassVar[tuple[str, ...]]
    #: How it is set up and what was built where it lacks something; a line each, for the table.
    notes: ClassVar[tuple[str, ...]] = ()
    #: What can't be had, by kind of workload: the reason.
    lacks: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def worker_commands(self, processes: int) -> list[list[str]]:
        """The commands to start so that there are so many worker processes."""

    @abstractmethod
    def hello(self) -> None:
        """Have some worker process say that it is ready."""

    @abstractmethod
    def chain(self, length: int) -> None:
        """So many steps one after another; each passes its result on."""

    @abstractmethod
    def hop(self, seconds: float) -> None:
        """A step that takes a while, and one after it."""

    @abstractmethod
    def payload(self, length: int, data: str) -> None:
        """A chain whose steps pass ``data`` on."""

    @abstractmethod
    def fan(self, width: int) -> None:
        """A step, so many after it, and one after all of these that gets their results."""

    @abstractmethod
    def diamonds(self, numbers: range) -> None:
        """For each number a step, two after it, and one after both; submitted one by one."""

    @abstractmethod
    def science(self, shape: Shape) -> None:
        """A graph whose steps pass nothing on."""

    @abstractmethod
    def backlog(self, width: int) -> None:
        """So many steps and one that waits for them, while no worker runs: to see what they take up."""

    def script_name(self, text: str) -> str:
        """What to call a script that took long."""
        return text.strip().split("\n")[0][:60]

    def confirm(self) -> None:  # noqa: B027, most have nothing to say
        """Check what the system itself says of the workflows that were submitted, where it says anything."""
