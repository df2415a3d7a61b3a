"""``run_workflow`` tells the same story as a worker: states, events, results, and the hooks that middleware sees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from dramatiq import Broker, Middleware

from dramatiq_baton import Event, Workflow
from dramatiq_baton.testing import run_workflow
from tests.support.lab import Lab, baton_last
from tests.support.own import MakeLab

from .shop import Shop

HOOKS = [
    *("before_worker_boot", "after_worker_boot", "before_worker_shutdown", "after_worker_shutdown"),
    *("after_worker_thread_boot", "before_worker_thread_shutdown"),
    *("before_enqueue", "after_enqueue", "before_delay_message"),
    *("before_process_message", "after_process_message", "after_skip_message"),
    *("before_ack", "after_ack", "before_nack", "after_nack"),
]


class Told(Middleware):
    """Notes every hook that is called, by what it is about."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.of: defaultdict[str, list[str]] = defaultdict(list)

    def story(self) -> dict[str, list[str]]:
        """The hooks in the order in which they were called; where threads of a worker call them, there is none."""
        return {
            about: sorted(hooks) if about in ("worker", "sent") else list(hooks)
            for about, hooks in self.of.items()
        }


def _noting(hook: str) -> Any:
    def note(self: Told, broker: Broker, subject: Any, *args: Any, **kwargs: Any) -> None:
        if not hasattr(subject, "options"):
            self.of["worker"].append(hook)
            return
        step, delayed = subject.options["baton"]["step"], "eta" in subject.options
        if hook.endswith("enqueue"):
            self.of["sent"].append(f"{hook} {step} {delayed}")
        else:
            self.of[f"{step}, delayed" if delayed else step].append(hook)

    return note


for _hook in HOOKS:
    setattr(Told, _hook, _noting(_hook))


def _flow(shop: Shop) -> Workflow:
    """A workflow in which everything happens that can happen to a step."""

    @shop.actor
    def collect(parts: list[Any]) -> list[Any]:
        return parts

    work = shop.work
    flow = Workflow("flow")
    flow.add("root", work.message("root"))
    words: dict[str, list[Any]] = {
        "plain": [],
        "snoozed": [20, 20],
        "busy": ["busy"],
        "retried": ["fail", "fail"],
        "failed": ["fail", "fail", "fail"],
        "discarded": [20, "discard"],
        "cancelled": ["cancel"],
    }
    parts = [flow.add(name, work.message(name, *words[name]), deps="root") for name in words]
    parts.append(flow.add("delayed", work.message("delayed"), deps="root", delay=20))
    flow.add("all", collect.message(parts), ignore_discarded=True, ignore_cancelled=True)
    flow.add("after failed", work.message("after failed"), deps="failed")
    flow.add("after cancelled", work.message("after cancelled"), deps=["cancelled", "all"])
    return flow


def _story(events: Iterable[Event]) -> dict[str, list[dict[str, Any]]]:
    """What the events tell of each step, and of the workflow; times and delays of chance left out."""
    story = defaultdict(list)
    for event in events:
        told = event.as_dict()
        for field in ("id", "workflow_id", "ts", "duration", "worker"):
            told.pop(field, None)
        if event.event == "retryable" or event.reason.startswith("rate limit"):
            del told["delay"]
        story[event.step].append(told)
    return dict(story)


@pytest.mark.parametrize("dispatch", ["ready", "eager"])
def test_states_events_and_hooks_are_those_of_a_worker(make_lab: MakeLab, dispatch: Any) -> None:
    tellers: list[Told] = []

    def arrange(baton: Any) -> list[Any]:
        tellers[:] = [Told("first"), Told("last")]
        return [tellers[0], *baton_last(baton), tellers[1]]

    lab: Lab = make_lab(arrange, kind="stub")
    shop = Shop(lab.broker, min_backoff=10)
    flow = _flow(shop)
    with lab.working(threads=1):
        run = lab.run(flow, dispatch=dispatch)
        run.wait(timeout=30_000)
        lab.broker.join("default", timeout=30_000, fail_fast=False)  # type: ignore[call-arg]
    by_a_worker = [teller.story() for teller in tellers]
    for teller in tellers:
        teller.of.clear()
    shop.runs.clear()
    here = run_workflow(flow, broker=lab.broker, dispatch=dispatch)

    status = run.status()
    assert {name: (step.state, step.attempt, step.reason) for name, step in here.steps.items()} == {
        name: (step.state, step.attempt, step.reason) for name, step in status.steps.items()
    }
    assert (here.state, here.counts, here.results) == (status.state, status.counts, run.results())
    if dispatch == "ready":  # how often an eager step asks whether it is ready is chance
        assert _story(here.events) == _story(run.events())
        assert [teller.story() for teller in tellers] == by_a_worker
    else:
        assert [teller.of["root"] for teller in tellers] == [told["root"] for told in by_a_worker]
