"""Follows one workflow from its submission to its end, and looks for what must not be."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from dramatiq_baton import StoreUnavailable, WorkflowRun, WorkflowRunning
from dramatiq_baton.events import Event

from .graphs import Graph

T = TypeVar("T")

SETTLED = ("completed", "discarded", "cancelled")


class Watch:
    """One workflow.

    Attributes:
      graph: Its graph.
      finished: Whether it was seen to have finished.
      wrong: What is wrong about its steps; empty if all is well.
      starts, ends: How many ``workflow_started`` and ``workflow_finished`` events it has.
      again: How many executions began although the one before had no end: its worker died, was shut down, or
        lost its lease.
      error: What kept it from being watched, if anything did.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.finished = False
        self.wrong: list[str] = []
        self.starts = self.ends = 0
        self.again = 0
        self.error = ""
        self._run: WorkflowRun | None = None
        self._first: dict[str, Any] = {}
        self._settled: dict[str, str] = {}
        self._executing: set[str] = set()
        self._seen = "0"

    def run(self, actors: Any) -> None:
        """Submit it, and follow it until it has finished."""
        flow = self.graph.workflow(actors)
        run = patiently(lambda: flow.run(broker=actors.broker, dispatch=self.graph.dispatch))
        self._run = run
        if self.graph.cancelled_after is not None:
            self._follow(run, self.graph.cancelled_after)
            patiently(lambda: run.cancel("by the operator"))
            self._follow(run)
            with suppress(WorkflowRunning):  # there was no answer, but it had been heard
                patiently(run.retry)
        self._follow(run)
        self.finished = True

    def _follow(self, run: WorkflowRun, most: float = float("inf")) -> None:
        """Take in events until the workflow has finished, or so many have come."""
        while True:
            try:
                for event in run.events(since=self._seen, follow=True):
                    self._note(run, event)
                    self._seen = event.id
                    most -= 1
                    if most <= 0:
                        return
            except StoreUnavailable:
                time.sleep(0.05)
            else:
                return

    def check(self) -> None:
        """Look at it once more at the end of the round: nothing about it may have changed, or be wrong."""
        run = self._run
        if run is None:
            return
        expected = self.graph.expected()
        status = patiently(run.status, limit=60)
        if not self.finished:
            steps = status.steps.values()
            open_steps = [f"{step.name} {step.state}" for step in steps if step.state not in SETTLED]
            ago = f" {time.time() - status.finished_at / 1000:.1f} s ago" if status.finished_at else ""
            self.error += f"{status.state}{ago}, but no follower saw it end; open: {', '.join(open_steps)}"
            return
        if status.state != expected.outcome:
            self.wrong.append(f"it is {status.state}, not {expected.outcome}")
        for name, state in expected.states.items():
            step = status.steps[name]
            if step.state != state:
                self.wrong.append(f"{name} is {step.state} ({step.reason}), not {state}")
        self._check_results(expected.values, patiently(run.results))
        events = patiently(lambda: list(run.events()))
        self.starts = sum(event.event == "workflow_started" for event in events)
        self.ends = sum(event.event == "workflow_finished" for event in events)

    def _check_results(self, values: dict[str, int], results: dict[str, Any]) -> None:
        for name in sorted(values.keys() | results.keys()):
            result = results.get(name)
            if result is None or result["value"] != values.get(name):
                self.wrong.append(f"{name} has {result}, not {values.get(name)}")
                continue
            if name not in self._first:
                self.wrong.append(f"{name} has a result, but no event told of it")
            elif self._first[name] != result:
                self.wrong.append(f"{name} had {self._first[name]} and then {result}")
            for dep, nonce in result["seen"].items():
                if dep not in results or results[dep]["nonce"] != nonce:
                    self.wrong.append(f"{name} was given a result of {dep} that isn't the stored one")

    def _note(self, run: WorkflowRun, event: Event) -> None:
        """Take in one event."""
        name = event.step
        if event.event == "workflow_started":  # once more: what didn't complete begins again
            self._settled = {step: how for step, how in self._settled.items() if how == "completed"}
        elif event.event == "executing":
            if name in self._settled:
                self.wrong.append(f"{name} ran again after it was {self._settled[name]}")
            self._check_deps(name)
            self.again += name in self._executing
            self._executing.add(name)
        elif event.event in ("snoozed", "retryable"):
            self._executing.discard(name)
        elif event.event == "completed":
            result = patiently(lambda: run.result(name))
            if name not in self._settled:
                self._first[name] = result
                self._settle(name, "completed")
            elif not event.cached:
                self.wrong.append(f"{name} completed twice")
            elif self._first.get(name) != result:
                self.wrong.append(f"{name} had {self._first.get(name)} and then {result}")
        elif event.event in SETTLED:
            if name in self._settled:
                self.wrong.append(f"{name} was {self._settled[name]} and then {event.event}")
            self._settle(name, str(event.event))

    def _settle(self, name: str, state: str) -> None:
        self._settled[name] = state
        self._executing.discard(name)

    def _check_deps(self, name: str) -> None:
        node = next(node for node in self.graph.nodes if node.name == name)
        for dep in (*node.inputs, *node.after):
            if dep not in self._settled:
                self.wrong.append(f"{name} started before {dep} had settled")


def patiently(ask: Callable[[], T], *, limit: float = float("inf")) -> T:
    """Ask until the server answers, but not for longer than ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while True:
        try:
            return ask()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
