"""The same calls by processes that have observers: the same rules hold, and each event is told once, no other."""

from __future__ import annotations

import redis
from hypothesis.stateful import invariant

from dramatiq_baton.observing import News, StepChange, StepRescue, WorkflowEnd, WorkflowStart
from dramatiq_baton.store.store import Store
from tests.protocol.machine import play
from tests.protocol.test_protocol import ID, Protocol


class Watched(Protocol):
    def new_store(self) -> Store:
        store = super().new_store()
        self.told: list[News] = []
        store.watcher, store.carries = self.told.extend, True
        return store

    @invariant()
    def each_event_is_told_once(self) -> None:
        events = self.client.xrange(f"{self.store.keys.workflow(ID)}:events")
        written = [
            (fields[b"step"].decode(), fields[b"event"].decode())
            for _, fields in events
            if b"cached" not in fields
        ]
        assert [_as_event(each) for each in self.told if not isinstance(each, StepRescue)] == written

    @invariant()
    def each_death_is_told_once(self) -> None:
        """As far as they count: a retry of the workflow counts them anew."""
        told = sum(isinstance(each, StepRescue) for each in self.told)
        deaths = sum(step.deaths for step in self.model.steps.values())
        assert (
            told == deaths if not any(step.resets for step in self.model.steps.values()) else told >= deaths
        )


def _as_event(news: News) -> tuple[str, str]:
    match news:
        case StepChange(step=step, state=state):
            return step, state.value
        case WorkflowStart():
            return "", "workflow_started"
        case WorkflowEnd():
            return "", "workflow_finished"
    raise AssertionError(news)


def test_every_order_of_calls_is_told_as_it_is_written(valkey_url: str) -> None:
    Watched.client = redis.Redis.from_url(valkey_url)
    play(Watched, examples=60, steps=50)
