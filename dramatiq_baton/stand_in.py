"""One broker in another one's place, for what runs in the present context: see :mod:`.testing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from dramatiq import Broker

_stand_ins: ContextVar[Mapping[Broker, Broker]] = ContextVar("dramatiq_baton_stand_ins", default={})  # noqa: B039


def in_place_of(broker: Broker) -> Broker:
    """The broker that stands in for ``broker`` here; itself, if none does."""
    return _stand_ins.get().get(broker, broker)


@contextmanager
def standing_in(broker: Broker, other: Broker) -> Iterator[None]:
    """Let ``other`` stand in for ``broker``."""
    token = _stand_ins.set({**_stand_ins.get(), broker: other})
    try:
        yield
    finally:
        _stand_ins.reset(token)
