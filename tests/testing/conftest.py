"""What the tests of this folder stand on: a user's broker whose Redis isn't there, and the plugin's fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker

from dramatiq_baton import BatonMiddleware
from dramatiq_baton.testing import FinishedWorkflow, run_workflow
from pytest_dramatiq_baton import baton_broker, baton_server
from tests.support.own import log, make_lab, own_world

from .shop import Shop

__all__ = ["baton_broker", "baton_server", "log", "make_lab", "own_world"]


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A user's broker in a test: nobody listens where its Redis should be."""
    broker = RedisBroker(url="redis://127.0.0.1:1/0")
    broker.add_middleware(BatonMiddleware())
    yield broker
    broker.close()


@pytest.fixture
def shop(broker: Broker) -> Shop:
    """Actors on the user's broker."""
    return Shop(broker)


@pytest.fixture
def run(broker: Broker) -> Callable[..., FinishedWorkflow]:
    """``run_workflow`` with the user's broker."""
    options: Any = {"broker": broker}
    return partial(run_workflow, **options)
